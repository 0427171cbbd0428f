package io.github.loradjl.zoo;

import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ModelNotFoundException;

import java.util.Map;
import java.util.function.Predicate;

/** Tells whether a criteria means a model of this zoo. */
final class Asked {

    private Asked() {}

    /**
     * Refuses a criteria that wants something else. DJL asks every loader when a criteria has
     * neither group nor artifact nor filters; a model for any text to any text must not answer
     * that.
     *
     * @param criteria the criteria
     * @param id what is offered, for messages
     * @param filters tells whether it has the wanted properties
     */
    static void check(Criteria<?, ?> criteria, String id, Predicate<Map<String, String>> filters)
            throws ModelNotFoundException {
        boolean isFiltered = criteria.getFilters() != null && !criteria.getFilters().isEmpty();
        if (!isFiltered && criteria.getArtifactId() == null) {
            throw new ModelNotFoundException(
                    id + " is loaded only where a criteria names the artifact or has filters");
        }
        if (isFiltered && !filters.test(criteria.getFilters())) {
            throw new ModelNotFoundException(
                    id + " does not match the filters " + criteria.getFilters());
        }
    }
}
