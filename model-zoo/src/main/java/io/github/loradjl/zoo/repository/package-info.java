/**
 * Repositories of published adapters: folders in DJL's layout, jars with such a folder in them, and
 * web servers that hand one out. Everything in them is taken for hostile until it is checked.
 */
package io.github.loradjl.zoo.repository;
