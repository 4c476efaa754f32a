// The layer for WebAssembly: modules, host functions, memory, fuel, traps. The module is `module.wat`.

#include <pthread.h>

#include "check.h"

struct host {
    int data;
    int calls;
    int freed;
    pinfold_store_t *store;
    pinfold_instance_t *instance;
};

static void host_freed(void *host)
{
    ((struct host *)host)->freed += 1;
}

static pinfold_wasm_value_t i32(int32_t value)
{
    pinfold_wasm_value_t made = {PINFOLD_WASM_KIND_I32, {.i32 = value}};
    return made;
}

// Adds, and looks at the text that the guest has at 8.
static pinfold_error_t *add(void *data, pinfold_caller_t *caller, const pinfold_wasm_value_t *arguments, size_t count,
                            pinfold_wasm_value_t *results, size_t result_count)
{
    struct host *host = data;
    CHECK(count == 2 && result_count == 1 && pinfold_caller_data(caller) == &host->data);
    host->calls += 1;
    uint8_t *bytes;
    size_t length;
    FINE(pinfold_caller_memory(caller, "memory", &bytes, &length));
    CHECK(length == 65536 && memcmp(bytes + 8, "hello", 5) == 0);
    bytes[0] = 42;
    FAILS("no_export", pinfold_caller_memory(caller, "other", &bytes, &length));
    // The store is in use, further up.
    FAILS("argument", pinfold_instance_call(host->instance, host->store, "trap", NULL, 0, NULL, 0));
    results[0].of.i32 = arguments[0].of.i32 + arguments[1].of.i32;
    return NULL;
}

static pinfold_error_t *fail(void *data, pinfold_caller_t *caller, const pinfold_wasm_value_t *arguments, size_t count,
                             pinfold_wasm_value_t *results, size_t result_count)
{
    (void)data, (void)caller, (void)arguments, (void)count, (void)results, (void)result_count;
    return pinfold_error_new("it was to fail");
}

static void *interrupts(void *interrupt)
{
    pinfold_interrupt_now(interrupt);
    return NULL;
}

int main(int count, char **arguments)
{
    CHECK(count == 2);
    static uint8_t bytes[65536];
    FILE *file = fopen(arguments[1], "rb");
    CHECK(file != NULL);
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);

    pinfold_engine_t *engine;
    FAILS("argument", pinfold_engine_new(77, true, &engine));
    FINE(pinfold_engine_new(PINFOLD_TIER_AUTO, true, &engine));
    pinfold_module_t *module;
    FAILS("module", pinfold_module_new(engine, bytes, length / 2, &module));
    FAILS("module", pinfold_module_new(engine, NULL, 0, &module));
    FINE(pinfold_module_new(engine, bytes, length, &module));
    char *imports = pinfold_module_imports(module), *exports = pinfold_module_exports(module);
    CHECK(strncmp(imports, "host::add: ", 11) == 0 && strstr(exports, "run: ") != NULL);
    pinfold_text_delete(imports);
    pinfold_text_delete(exports);

    struct host host = {0, 0, 0, NULL, NULL};
    int data_freed = 0;
    FINE(pinfold_store_new(engine, 1 << 20, 0, &host.data, NULL, &host.store));
    FINE(pinfold_store_set_fuel(host.store, 1000000));
    pinfold_linker_t *linker;
    FINE(pinfold_linker_new(engine, &linker));
    FAILS("link", pinfold_linker_instantiate(linker, host.store, module, &host.instance));
    const uint32_t two[] = {PINFOLD_WASM_KIND_I32, PINFOLD_WASM_KIND_I32}, wrong[] = {99};
    FAILS("argument", pinfold_linker_func(linker, "host", "add", wrong, 1, NULL, 0, add, &data_freed, NULL));
    FINE(pinfold_linker_func(linker, "host", "add", two, 2, two, 1, add, &host, host_freed));
    FINE(pinfold_linker_func(linker, "host", "fail", NULL, 0, NULL, 0, fail, NULL, NULL));
    FINE(pinfold_linker_instantiate(linker, host.store, module, &host.instance));

    pinfold_wasm_value_t five[] = {i32(2), i32(3)}, result;
    FINE(pinfold_instance_call(host.instance, host.store, "run", five, 2, &result, 1));
    CHECK(result.kind == PINFOLD_WASM_KIND_I32 && result.of.i32 == 5 && host.calls == 1);
    CHECK(pinfold_store_fuel(host.store) < 1000000);
    FAILS("type", pinfold_instance_call(host.instance, host.store, "run", five, 1, &result, 1));
    FAILS("type", pinfold_instance_call(host.instance, host.store, "run", five, 2, NULL, 0));
    FAILS("argument", pinfold_instance_call(host.instance, host.store, "run", five, 2, NULL, 1));
    FAILS("no_export", pinfold_instance_call(host.instance, host.store, "none", NULL, 0, NULL, 0));
    pinfold_wasm_value_t strange[] = {{1234, {.i64 = 0}}, i32(1)};
    FAILS("argument", pinfold_instance_call(host.instance, host.store, "run", strange, 2, &result, 1));

    // Numbers of all kinds come back as they were.
    pinfold_wasm_value_t all[5] = {i32(-1)}, found[5];
    all[1].kind = PINFOLD_WASM_KIND_I64, all[1].of.i64 = INT64_MIN;
    all[2].kind = PINFOLD_WASM_KIND_F32, all[2].of.f32 = 1.5f;
    all[3].kind = PINFOLD_WASM_KIND_F64, all[3].of.f64 = -2.5;
    all[4].kind = PINFOLD_WASM_KIND_V128, memset(all[4].of.v128, 7, 16);
    FINE(pinfold_instance_call(host.instance, host.store, "same", all, 5, found, 5));
    CHECK(found[0].of.i32 == -1 && found[1].of.i64 == INT64_MIN && found[2].of.f32 == 1.5f && found[3].of.f64 == -2.5);
    CHECK(found[4].kind == PINFOLD_WASM_KIND_V128 && memcmp(found[4].of.v128, all[4].of.v128, 16) == 0);

    uint8_t *memory, some[5];
    FINE(pinfold_instance_memory(host.instance, host.store, "memory", &memory, &length));
    CHECK(length == 65536 && memory[0] == 42);
    FINE(pinfold_instance_read(host.instance, host.store, "memory", 8, some, 5));
    CHECK(memcmp(some, "hello", 5) == 0);
    FINE(pinfold_instance_write(host.instance, host.store, "memory", 65531, some, 5));
    FAILS("bounds", pinfold_instance_write(host.instance, host.store, "memory", 65532, some, 5));
    FAILS("bounds", pinfold_instance_read(host.instance, host.store, "memory", 0, some, SIZE_MAX));
    FAILS("bounds", pinfold_instance_read(host.instance, host.store, "memory", SIZE_MAX, some, 5));

    pinfold_wasm_value_t global;
    FINE(pinfold_instance_global(host.instance, host.store, "count", &global));
    CHECK(global.kind == PINFOLD_WASM_KIND_I64 && global.of.i64 == 10);
    global.of.i64 = 11;
    FINE(pinfold_instance_set_global(host.instance, host.store, "count", &global));
    global = i32(1);
    FAILS("type", pinfold_instance_set_global(host.instance, host.store, "count", &global));

    pinfold_error_t *error = pinfold_instance_call(host.instance, host.store, "trap", NULL, 0, NULL, 0);
    CHECK(strcmp(pinfold_error_code(error), "trap.unreachable") == 0);
    CHECK(strncmp(pinfold_error_stack(error), "inner at 0x", 11) == 0 && strstr(pinfold_error_stack(error), "\ntrap at ") != NULL);
    pinfold_error_delete(error);
    error = pinfold_instance_call(host.instance, host.store, "fail", NULL, 0, NULL, 0);
    CHECK(strcmp(pinfold_error_code(error), "trap.host") == 0);
    CHECK(strstr(pinfold_error_message(error), "it was to fail") != NULL);
    pinfold_error_delete(error);
    FAILS("trap.out_of_fuel", pinfold_instance_call(host.instance, host.store, "endless", NULL, 0, NULL, 0));
    FINE(pinfold_store_set_fuel(host.store, UINT64_MAX));
    FINE(pinfold_store_set_deadline(host.store, 20));
    FAILS("trap.timeout", pinfold_instance_call(host.instance, host.store, "endless", NULL, 0, NULL, 0));
    FINE(pinfold_store_set_deadline(host.store, PINFOLD_UNLIMITED));
    FAILS("trap.out_of_memory", pinfold_instance_call(host.instance, host.store, "grow", NULL, 0, NULL, 0));

    pinfold_interrupt_t *interrupt;
    FINE(pinfold_interrupt_new(host.store, &interrupt));
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, interrupts, interrupt) == 0);
    FAILS("trap.interrupted", pinfold_instance_call(host.instance, host.store, "endless", NULL, 0, NULL, 0));
    CHECK(pthread_join(thread, NULL) == 0);
    pinfold_interrupt_delete(interrupt);

    // An instance is its store's.
    pinfold_store_t *other;
    FINE(pinfold_store_new(engine, 0, 0, &data_freed, NULL, &other));
    FAILS("no_export", pinfold_instance_call(host.instance, other, "run", five, 2, &result, 1));
    pinfold_store_delete(other);

    pinfold_linker_delete(linker);
    pinfold_module_delete(module);
    pinfold_engine_delete(engine);
    FINE(pinfold_instance_call(host.instance, host.store, "run", five, 2, &result, 1));
    pinfold_instance_delete(host.instance);
    CHECK(host.freed == 0);
    pinfold_store_delete(host.store);
    CHECK(host.freed == 1);
    return 0;
}
