// What is no right use of the interface: an error or nothing, never a crash.

#include "check.h"

static void nulls(void)
{
    pinfold_vm_t *vm = plain_vm();
    pinfold_program_t *program = compiled(vm, "pub fn f(x: Int) -> Int { x }"), *other;
    pinfold_value_t *value = pinfold_value_int(1), *result, *none[] = {NULL};
    pinfold_grants_t *grants = pinfold_grants_new();
    pinfold_limits_t limits = pinfold_limits_default();
    pinfold_settings_t *settings = pinfold_settings_new();

    FAILS("argument", pinfold_vm_new(NULL, NULL));
    FAILS("argument", pinfold_vm_compile(NULL, "a", "", &other));
    FAILS("argument", pinfold_vm_compile(vm, NULL, "", &other));
    FAILS("argument", pinfold_vm_compile(vm, "a", NULL, &other));
    FAILS("argument", pinfold_vm_compile(vm, "a", "", NULL));
    FAILS("argument", pinfold_vm_compile(vm, "a\xff", "", &other));
    FAILS("argument", pinfold_vm_compile_file(vm, NULL, &other));
    FAILS("argument", pinfold_vm_compile_modules(vm, "a", NULL, NULL, 1, &other));
    FAILS("grant", pinfold_vm_compile_modules(vm, "a", NULL, NULL, 0, &other));
    FAILS("argument", pinfold_program_call(NULL, "f", &value, 1, &result));
    FAILS("argument", pinfold_program_call(program, NULL, &value, 1, &result));
    FAILS("argument", pinfold_program_call(program, "f", NULL, 1, &result));
    FAILS("argument", pinfold_program_call(program, "f", none, 1, &result));
    FAILS("argument", pinfold_program_run(NULL, grants, NULL));
    FAILS("argument", pinfold_program_with_limits(program, NULL, &other));
    FAILS("argument", pinfold_program_with_cancel(program, NULL, &other));
    FAILS("argument", pinfold_session_new(NULL, grants, NULL));
    FAILS("argument", pinfold_session_call(NULL, "f", &value, 1, &result));
    FAILS("argument", pinfold_session_run(NULL, NULL));
    FAILS("argument", pinfold_settings_limits(NULL, &limits));
    FAILS("argument", pinfold_settings_limits(settings, NULL));
    FAILS("argument", pinfold_settings_tier(settings, 3));
    FAILS("argument", pinfold_settings_isolation(settings, UINT32_MAX));
    FAILS("argument", pinfold_settings_capability(settings, NULL));
    FAILS("argument", pinfold_grants_console(grants, "out", NULL));
    FAILS("argument", pinfold_grants_console(NULL, "out", NULL));
    FAILS("argument", pinfold_grants_object(grants, "out", NULL));
    FAILS("argument", pinfold_grants_dir(grants, NULL, "/", false));
    FAILS("argument", pinfold_grants_dir(grants, "d", NULL, false));
    FAILS("argument", pinfold_grants_args(grants, "args", NULL, 1));
    FAILS("argument", pinfold_capability_new(NULL, NULL));
    FAILS("argument", pinfold_console_input(NULL, NULL, 0));
    FAILS("argument", pinfold_engine_new(0, false, NULL));
    FAILS("argument", pinfold_module_new(NULL, NULL, 0, NULL));
    FAILS("argument", pinfold_store_set_fuel(NULL, 1));
    FAILS("argument", pinfold_instance_call(NULL, NULL, NULL, NULL, 0, NULL, 0));
    FAILS("argument", pinfold_instance_memory(NULL, NULL, "memory", NULL, NULL));
    FAILS("argument", pinfold_caller_memory(NULL, NULL, NULL, NULL));

    CHECK(pinfold_error_code(NULL) == NULL && pinfold_error_message(NULL) == NULL && pinfold_error_stack(NULL) == NULL);
    CHECK(pinfold_error_findings(NULL) == NULL && !pinfold_error_usage(NULL, NULL));
    CHECK(pinfold_program_needs(NULL) == NULL && pinfold_program_functions(NULL) == NULL);
    CHECK(pinfold_console_text(NULL, NULL) == NULL && pinfold_module_exports(NULL) == NULL);
    CHECK(pinfold_store_fuel(NULL) == 0 && pinfold_caller_data(NULL) == NULL);
    pinfold_cancel_now(NULL);
    pinfold_interrupt_now(NULL);
    pinfold_error_delete(pinfold_error_new(NULL));
    pinfold_error_delete(NULL);
    pinfold_value_delete(NULL);
    pinfold_text_delete(NULL);
    pinfold_vm_delete(NULL);
    pinfold_program_delete(NULL);
    pinfold_session_delete(NULL);
    pinfold_grants_delete(NULL);
    pinfold_console_delete(NULL);
    pinfold_capability_delete(NULL);
    pinfold_object_delete(NULL);
    pinfold_settings_delete(NULL);
    pinfold_cancel_delete(NULL);
    pinfold_engine_delete(NULL);
    pinfold_module_delete(NULL);
    pinfold_store_delete(NULL);
    pinfold_linker_delete(NULL);
    pinfold_instance_delete(NULL);
    pinfold_interrupt_delete(NULL);

    pinfold_settings_delete(settings);
    pinfold_grants_delete(grants);
    pinfold_value_delete(value);
    pinfold_program_delete(program);
    pinfold_vm_delete(vm);
}

static void wrong_values(void)
{
    CHECK(pinfold_value_char(0xd800) == NULL && pinfold_value_string("\xff") == NULL);
    CHECK(pinfold_value_string(NULL) == NULL && pinfold_value_string_of(NULL, 1) == NULL);
    CHECK(pinfold_value_bytes(NULL, 1) == NULL && pinfold_value_variant(NULL) == NULL);
    CHECK(pinfold_value_some(NULL) == NULL && pinfold_value_ok(NULL) == NULL && pinfold_value_copy(NULL) == NULL);
    pinfold_value_t *number = pinfold_value_int(1), *list = pinfold_value_list();
    FAILS("argument", pinfold_value_push(number, pinfold_value_int(2)));
    FAILS("argument", pinfold_value_push(list, NULL));
    FAILS("argument", pinfold_value_push(NULL, pinfold_value_int(2)));
    FAILS("argument", pinfold_value_insert(list, pinfold_value_int(1), pinfold_value_int(2)));
    FAILS("argument", pinfold_value_insert(list, NULL, pinfold_value_int(2)));
    FAILS("argument", pinfold_value_field_add(list, "a", pinfold_value_int(2)));
    FAILS("argument", pinfold_value_field_add(number, NULL, pinfold_value_int(2)));
    int64_t integer = 7;
    double real = 7;
    size_t length = 7;
    CHECK(!pinfold_value_get_int(list, &integer) && !pinfold_value_get_int(NULL, &integer) && integer == 7);
    CHECK(!pinfold_value_get_int(number, NULL) && !pinfold_value_get_float(number, &real));
    CHECK(pinfold_value_text(number, &length) == NULL && length == 0 && pinfold_value_text(NULL, NULL) == NULL);
    CHECK(pinfold_value_part(number, 0) == NULL && pinfold_value_part(list, 0) == NULL && pinfold_value_key(list, 0) == NULL);
    CHECK(pinfold_value_field(list, "a") == NULL && pinfold_value_field(NULL, NULL) == NULL);
    CHECK(pinfold_value_field_name(list, 0, &length) == NULL && !pinfold_value_is_variant(list, "A"));
    CHECK(pinfold_value_kind(NULL) == PINFOLD_KIND_NOTHING && pinfold_value_count(NULL) == 0);
    pinfold_value_delete(number);
    pinfold_value_delete(list);
}

static void values_that_do_not_fit(void)
{
    pinfold_vm_t *vm = plain_vm();
    pinfold_program_t *program = compiled(vm, "pub record Tree { kids: List<Tree> }\npub fn f(x: Tree) -> Int { 1 }");
    pinfold_value_t *tree = pinfold_value_record();
    FINE(pinfold_value_field_add(tree, "kids", pinfold_value_list()));
    for (int depth = 0; depth < 1000; depth++) {
        pinfold_value_t *list = pinfold_value_list(), *outer = pinfold_value_record();
        FINE(pinfold_value_push(list, tree));
        FINE(pinfold_value_field_add(outer, "kids", list));
        tree = outer;
    }
    FAILS("type", pinfold_program_call(program, "f", &tree, 1, NULL));
    pinfold_value_delete(tree);
    tree = pinfold_value_record();
    FAILS("type", pinfold_program_call(program, "f", &tree, 1, NULL));
    pinfold_value_delete(tree);
    pinfold_program_delete(program);
    pinfold_vm_delete(vm);
}

static void programs_that_go_wrong(void)
{
    pinfold_vm_t *vm = plain_vm();
    pinfold_program_t *program = compiled(vm, "pub fn deep(n: Int) -> Int { if n == 0 { 0 } else { 1 + deep(n - 1) } }\n"
                                              "pub fn zero(n: Int) -> Int { 1 / n }\n"
                                              "pub fn long(n: Int) -> String { \"x\".repeat(n) }");
    pinfold_value_t *number = pinfold_value_int(17 << 20), *zero = pinfold_value_int(0);
    FAILS("limit.stack", pinfold_program_call(program, "deep", &number, 1, NULL));
    FAILS("panicked", pinfold_program_call(program, "zero", &zero, 1, NULL));
    FAILS("limit.output", pinfold_program_call(program, "long", &number, 1, NULL));
    FINE(pinfold_program_call(program, "deep", &zero, 1, NULL));
    pinfold_value_delete(number);
    pinfold_value_delete(zero);
    pinfold_program_delete(program);
    pinfold_vm_delete(vm);
}

int main(void)
{
    nulls();
    wrong_values();
    values_that_do_not_fit();
    programs_that_go_wrong();
    return 0;
}
