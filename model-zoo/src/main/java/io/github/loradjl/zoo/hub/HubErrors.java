package io.github.loradjl.zoo.hub;

import java.net.URI;
import java.net.http.HttpResponse;
import java.util.Locale;

/** What a refusal of the hub means for the user. */
final class HubErrors {

    private final URI endpoint;
    private final HubToken token;

    HubErrors(URI endpoint, HubToken token) {
        this.endpoint = endpoint;
        this.token = token;
    }

    /**
     * Explains an answer that is not what was asked for.
     *
     * @param response the answer
     * @param id the repository
     * @param file the file that was asked for, or null
     */
    HubException explain(HttpResponse<?> response, HubId id, String file) {
        int status = response.statusCode();
        String code = header(response, "X-Error-Code");
        String said = header(response, "X-Error-Message");
        boolean isGated =
                code.equals("GatedRepo")
                        || (status == 401 || status == 403)
                                && said.toLowerCase(Locale.ROOT).contains("gated");
        if (isGated) {
            return new HubException(gated(id));
        }
        switch (status) {
            case 401:
                return new HubException(unauthorized(id));
            case 403:
                return new HubException(
                        endpoint.getAuthority()
                                + " forbids "
                                + id
                                + quote(said)
                                + "; "
                                + (token == null
                                        ? "set HF_TOKEN to a token that may read it"
                                        : "give " + token + " the right to read it"));
            case 404:
                return new HubException(notFound(id, file, code));
            case 408:
            case 425:
            case 429:
                String wait = header(response, "Retry-After");
                return HubException.passing(
                        endpoint.getAuthority()
                                + " is asked too often"
                                + (wait.isEmpty() ? "" : " (it says: wait " + wait + " s)")
                                + (token == null ? "; with HF_TOKEN set it allows more" : ""),
                        null);
            default:
                String message =
                        response.uri().getAuthority()
                                + " answers "
                                + status
                                + " about "
                                + (file == null ? "" : file + " of ")
                                + id
                                + quote(said);
                return status >= 500
                        ? HubException.passing(message, null)
                        : new HubException(message + "; check HF_ENDPOINT");
        }
    }

    private String gated(HubId id) {
        String page = endpoint + "/" + id.getRepository();
        String terms =
                id.getRepository() + " is gated: its owner asks you to accept terms, at " + page;
        return token == null
                ? terms + "; do so, then set HF_TOKEN to a token of that account"
                : terms
                        + "; accept them with the account of "
                        + token
                        + ", or wait until you are let in. A fine-grained token also needs the"
                        + " right to read gated repositories";
    }

    private String unauthorized(HubId id) {
        return token == null
                ? unknown(id) + "; for a private one set HF_TOKEN, or run \"hf auth login\""
                : endpoint.getAuthority()
                        + " does not accept "
                        + token
                        + " for "
                        + id
                        + "; make a new one at "
                        + endpoint
                        + "/settings/tokens, and check the name";
    }

    private String notFound(HubId id, String file, String code) {
        if (code.equals("RevisionNotFound")) {
            return id.getRepository()
                    + " has no revision "
                    + id.getRevision()
                    + " (a branch, a tag or a whole commit hash); its page "
                    + endpoint
                    + "/"
                    + id.getRepository()
                    + " lists them";
        }
        if (code.equals("EntryNotFound") || file != null) {
            return id + " has no file " + file + ", though it was listed; try again";
        }
        return unknown(id) + (token == null ? "" : ", or not to be seen with " + token);
    }

    private String unknown(HubId id) {
        return endpoint.getAuthority()
                + " knows no public "
                + id.getRepository()
                + "; check the name (owner/name, upper and lower case)";
    }

    private static String quote(String said) {
        return said.isEmpty() ? "" : " (\"" + said + "\")";
    }

    private static String header(HttpResponse<?> response, String name) {
        return Printable.of(response.headers().firstValue(name).orElse(""));
    }
}
