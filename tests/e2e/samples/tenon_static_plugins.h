/* In place of the one that tenon_link_plugins_statically makes: plugins come with the test's runtime. */
#define tenon_static_plugins NULL
