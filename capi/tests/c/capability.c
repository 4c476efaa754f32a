// Functions of the host: arguments, results, errors, what is freed when. With a path of `pinfold-worker`, the same from workers.

#include "check.h"

struct shop {
    int calls;
    int freed;
    pinfold_session_t *session;
};

static const char *const declaration = "/// What there is.\n"
                                       "capability Shop {\n"
                                       "    fn find(self, name: String, limit: Int) -> List<Item>\n"
                                       "    fn price(self, name: String) -> Result<Float, String>\n"
                                       "    fn broken(self)\n"
                                       "    fn wrong(self) -> Int\n"
                                       "    fn deep(self, bytes: Int) -> Int\n"
                                       "    fn again(self) -> String\n"
                                       "}\n"
                                       "record Item { name: String, size: Option<Int> }\n";

static void freed(void *count)
{
    *(int *)count += 1;
}

static void shop_freed(void *shop)
{
    ((struct shop *)shop)->freed += 1;
}

static pinfold_error_t *find(void *data, void *state, pinfold_value_t *const *arguments, size_t count,
                             pinfold_value_t **result)
{
    (void)data;
    CHECK(count == 2 && is_text(arguments[0], "nail"));
    ((struct shop *)state)->calls += 1;
    *result = pinfold_value_list();
    for (int64_t i = 0; i < int_of(arguments[1]); i++) {
        pinfold_value_t *item = pinfold_value_record();
        FINE(pinfold_value_field_add(item, "name", pinfold_value_string("nail")));
        FINE(pinfold_value_field_add(item, "size", i == 0 ? pinfold_value_none() : pinfold_value_some(pinfold_value_int(i))));
        FINE(pinfold_value_push(*result, item));
    }
    return NULL;
}

static pinfold_error_t *price(void *data, void *state, pinfold_value_t *const *arguments, size_t count,
                              pinfold_value_t **result)
{
    (void)data, (void)state, (void)arguments, (void)count;
    *result = pinfold_value_err(pinfold_value_string("no price"));
    return NULL;
}

static pinfold_error_t *broken(void *data, void *state, pinfold_value_t *const *arguments, size_t count,
                               pinfold_value_t **result)
{
    (void)data, (void)state, (void)arguments, (void)count, (void)result;
    return pinfold_error_new("the shop is closed");
}

static pinfold_error_t *wrong(void *data, void *state, pinfold_value_t *const *arguments, size_t count,
                              pinfold_value_t **result)
{
    (void)data, (void)state, (void)arguments, (void)count;
    *result = pinfold_value_string("not a number");
    return NULL;
}

// Takes more of the stack than guests have.
static pinfold_error_t *deep(void *data, void *state, pinfold_value_t *const *arguments, size_t count,
                             pinfold_value_t **result)
{
    (void)data, (void)state, (void)count;
    volatile char large[4 << 20];
    size_t bytes = (size_t)int_of(arguments[0]);
    CHECK(bytes <= sizeof large);
    int64_t sum = 0;
    for (size_t i = 0; i < bytes; i += 1024) {
        large[i] = 1;
        sum += large[i];
    }
    *result = pinfold_value_int(sum);
    return NULL;
}

// Calls the session by which it is called.
static pinfold_error_t *again(void *data, void *state, pinfold_value_t *const *arguments, size_t count,
                              pinfold_value_t **result)
{
    (void)data, (void)arguments, (void)count;
    pinfold_error_t *error = pinfold_session_call(((struct shop *)state)->session, "again", NULL, 0, NULL);
    CHECK(error != NULL);
    *result = pinfold_value_string(pinfold_error_code(error));
    pinfold_error_delete(error);
    return NULL;
}

static const char *const source = "import host\n"
                                  "pub fn names(shop: host.Shop) -> String {\n"
                                  "    shop.find(\"nail\", 2).map(|item| \"{item.name} {item.size.or(0)}\").join(\", \")\n"
                                  "}\n"
                                  "pub fn price(shop: host.Shop) -> String {\n"
                                  "    match shop.price(\"nail\") { Ok(_) => \"priced\", Err(why) => why }\n"
                                  "}\n"
                                  "pub fn broken(shop: host.Shop) { shop.broken() }\n"
                                  "pub fn wrong(shop: host.Shop) -> Int { shop.wrong() }\n"
                                  "pub fn deep(shop: host.Shop) -> Int { shop.deep(3 << 20) }\n"
                                  "pub fn again(shop: host.Shop) -> String { shop.again() }\n";

static void called(pinfold_session_t *session, const char *function, const char *wanted)
{
    pinfold_value_t *result;
    FINE(pinfold_session_call(session, function, NULL, 0, &result));
    CHECK(is_text(result, wanted));
    pinfold_value_delete(result);
}

int main(int count, char **arguments)
{
    int methods_freed = 0;
    struct shop shop = {0, 0, NULL};
    pinfold_capability_t *capability;
    FAILS("grant", pinfold_capability_new("capability Shop { fn f(self, x: Nothing) }", &capability));
    FAILS("grant", pinfold_capability_new("record Only {}", &capability));
    FAILS("grant", pinfold_capability_new("capability Shop { fn f(self) { 1 } }", &capability));
    pinfold_error_t *error = pinfold_capability_new("capability Shop { fn", &capability);
    CHECK(error != NULL && pinfold_error_code(error)[0] == 'F' && capability == NULL);
    pinfold_error_delete(error);

    FINE(pinfold_capability_new(declaration, &capability));
    FAILS("grant", pinfold_capability_method(capability, "none", find, &methods_freed, freed));
    FAILS("argument", pinfold_capability_method(capability, "find", NULL, &methods_freed, freed));
    CHECK(methods_freed == 2);
    FINE(pinfold_capability_method(capability, "find", find, &methods_freed, freed));
    FINE(pinfold_capability_method(capability, "price", price, NULL, NULL));
    FINE(pinfold_capability_method(capability, "broken", broken, NULL, NULL));
    FINE(pinfold_capability_method(capability, "wrong", wrong, NULL, NULL));
    FINE(pinfold_capability_method(capability, "deep", deep, NULL, NULL));
    FINE(pinfold_capability_method(capability, "again", again, NULL, NULL));

    pinfold_settings_t *settings = pinfold_settings_new();
    FINE(pinfold_settings_capability(settings, capability));
    if (count == 2) {
        FINE(pinfold_settings_isolation(settings, PINFOLD_ISOLATION_WORKER));
        FINE(pinfold_settings_worker(settings, arguments[1]));
    }
    pinfold_vm_t *vm;
    FINE(pinfold_vm_new(settings, &vm));
    pinfold_settings_delete(settings);
    pinfold_program_t *program = compiled(vm, source);

    pinfold_object_t *object;
    FINE(pinfold_capability_object(capability, &shop, shop_freed, &object));
    pinfold_grants_t *grants = pinfold_grants_new();
    FINE(pinfold_grants_object(grants, "shop", object));
    pinfold_object_delete(object);
    pinfold_capability_delete(capability);
    FINE(pinfold_session_new(program, grants, &shop.session));
    pinfold_grants_delete(grants);

    called(shop.session, "names", "nail 0, nail 1");
    called(shop.session, "price", "no price");
    called(shop.session, "again", "argument");
    CHECK(shop.calls == 1 && shop.freed == 0 && methods_freed == 2);
    pinfold_value_t *result;
    FINE(pinfold_session_call(shop.session, "deep", NULL, 0, &result));
    CHECK(int_of(result) == 3 << 10);
    pinfold_value_delete(result);
    FAILS("host", pinfold_session_call(shop.session, "wrong", NULL, 0, NULL));
    error = pinfold_session_call(shop.session, "broken", NULL, 0, NULL);
    CHECK(strcmp(pinfold_error_code(error), "host") == 0);
    CHECK(strstr(pinfold_error_message(error), "the shop is closed") != NULL);
    CHECK(strstr(pinfold_error_stack(error), "broken") != NULL);
    pinfold_error_delete(error);

    pinfold_session_delete(shop.session);
    CHECK(shop.freed == 1);
    pinfold_program_delete(program);
    pinfold_vm_delete(vm);
    CHECK(methods_freed == 3);
    return 0;
}
