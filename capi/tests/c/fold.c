// Programs in Fold: compiling, running, calling, limits, errors, cancelling.

#include <pthread.h>

#include "check.h"

static void a_call_takes_and_gives_values(void)
{
    pinfold_vm_t *vm = plain_vm();
    pinfold_program_t *program =
        compiled(vm, "pub fn score(word: String, weight: Int) -> Int { word.len() * weight }");
    char *functions = pinfold_program_functions(program);
    CHECK(strcmp(functions, "fn score(word: String, weight: Int) -> Int") == 0);
    pinfold_text_delete(functions);
    pinfold_value_t *arguments[] = {pinfold_value_string("abc"), pinfold_value_int(3)};
    pinfold_value_t *result;
    FINE(pinfold_program_call(program, "score", arguments, 2, &result));
    CHECK(int_of(result) == 9);
    pinfold_value_delete(result);
    // They are still the caller's.
    FINE(pinfold_program_call(program, "score", arguments, 2, NULL));
    FAILS("type", pinfold_program_call(program, "score", arguments, 1, &result));
    CHECK(result == NULL);
    FAILS("no_function", pinfold_program_call(program, "sore", arguments, 2, &result));
    pinfold_value_delete(arguments[0]);
    pinfold_value_delete(arguments[1]);
    // Handles can go in any order.
    pinfold_vm_delete(vm);
    pinfold_program_delete(program);
}

static void a_script_uses_what_it_was_granted(const char *folder)
{
    pinfold_vm_t *vm = plain_vm();
    pinfold_program_t *program = compiled(vm, "needs out: Console, data: Dir, env: Env, args: Args\n"
                                              "out.print(\"{data.read_text(\"a.txt\")?} {out.read_line()?.or(\"-\")}\")\n"
                                              "out.print_error(\"{env.get(\"K\").or(\"none\")} [{args.all().join(\",\")}]\")");
    char *needs = pinfold_program_needs(program);
    CHECK(strcmp(needs, "out: Console\ndata: Dir\nenv: Env\nargs: Args") == 0);
    pinfold_text_delete(needs);
    FAILS("not_granted", pinfold_program_run(program, NULL, NULL));

    pinfold_console_t *out = pinfold_console_capture();
    FINE(pinfold_console_input(out, (const uint8_t *)"a line\n", 7));
    const char *keys[] = {"K"}, *contents[] = {"value"}, *args[] = {"-v", "x"};
    pinfold_grants_t *grants = pinfold_grants_new();
    FINE(pinfold_grants_console(grants, "out", out));
    FINE(pinfold_grants_dir(grants, "data", folder, false));
    FINE(pinfold_grants_env(grants, "env", keys, contents, 1));
    FINE(pinfold_grants_args(grants, "args", args, 2));
    FAILS("grant", pinfold_grants_dir(grants, "data", "/nowhere/at/all", true));
    FAILS("grant", pinfold_grants_connect(grants, "net", "nonsense"));

    pinfold_usage_t usage;
    FINE(pinfold_program_run(program, grants, &usage));
    CHECK(usage.fuel > 0 && usage.fuel != PINFOLD_UNLIMITED && usage.output > 0 && usage.time_ns > 0);
    size_t length;
    char *text = pinfold_console_text(out, &length), *errors = pinfold_console_errors(out, NULL);
    CHECK(strcmp(text, "inside a line\n") == 0 && length == strlen(text));
    CHECK(strcmp(errors, "value [-v,x]\n") == 0);
    pinfold_text_delete(text);
    pinfold_text_delete(errors);
    pinfold_grants_delete(grants);
    pinfold_console_delete(out);
    pinfold_program_delete(program);
    pinfold_vm_delete(vm);
}

static void values_of_all_kinds_cross(void)
{
    static const char *const source =
        "pub record Row { name: String, qty: Int }\n"
        "pub enum Shape { Point, Circle(Float), Rect { w: Float, h: Float } }\n"
        "pub fn same(a: (Bool, Char, Bytes), b: Map<String, Int>, c: Set<Int>, d: Option<Int>, e: Result<Int, String>,\n"
        "    f: Row, g: List<Shape>, h: ()) -> ((Bool, Char, Bytes), Map<String, Int>, Set<Int>, Option<Int>,\n"
        "    Result<Int, String>, Row, List<Shape>, ()) { (a, b, c, d, e, f, g, h) }\n";
    pinfold_vm_t *vm = plain_vm();
    pinfold_program_t *program = compiled(vm, source);
    pinfold_value_t *tuple = pinfold_value_tuple(), *map = pinfold_value_map(), *set = pinfold_value_set();
    FINE(pinfold_value_push(tuple, pinfold_value_bool(true)));
    FINE(pinfold_value_push(tuple, pinfold_value_char(0xe4)));
    FINE(pinfold_value_push(tuple, pinfold_value_bytes((const uint8_t *)"\0\1", 2)));
    FINE(pinfold_value_insert(map, pinfold_value_string_of("a\0b", 3), pinfold_value_int(7)));
    FINE(pinfold_value_push(set, pinfold_value_int(1)));
    pinfold_value_t *row = pinfold_value_record(), *shapes = pinfold_value_list();
    FINE(pinfold_value_field_add(row, "qty", pinfold_value_int(6)));
    FINE(pinfold_value_field_add(row, "name", pinfold_value_string("nails")));
    pinfold_value_t *circle = pinfold_value_variant("Circle"), *rect = pinfold_value_variant("Rect");
    FINE(pinfold_value_push(circle, pinfold_value_float(1.5)));
    FINE(pinfold_value_field_add(rect, "h", pinfold_value_float(2)));
    FINE(pinfold_value_field_add(rect, "w", pinfold_value_float(1)));
    FINE(pinfold_value_push(shapes, pinfold_value_variant("Point")));
    FINE(pinfold_value_push(shapes, circle));
    FINE(pinfold_value_push(shapes, rect));
    pinfold_value_t *arguments[] = {
        tuple, map, set, pinfold_value_some(pinfold_value_int(2)), pinfold_value_err(pinfold_value_string("no")), row,
        shapes, pinfold_value_unit()};
    pinfold_value_t *all;
    FINE(pinfold_program_call(program, "same", arguments, 8, &all));
    CHECK(pinfold_value_kind(all) == PINFOLD_KIND_TUPLE && pinfold_value_count(all) == 8);

    const pinfold_value_t *first = pinfold_value_part(all, 0);
    bool flag = false;
    uint32_t letter = 0;
    size_t length;
    CHECK(pinfold_value_get_bool(pinfold_value_part(first, 0), &flag) && flag);
    CHECK(pinfold_value_get_char(pinfold_value_part(first, 1), &letter) && letter == 0xe4);
    const char *bytes = pinfold_value_text(pinfold_value_part(first, 2), &length);
    CHECK(length == 2 && memcmp(bytes, "\0\1", 2) == 0);
    const pinfold_value_t *entries = pinfold_value_part(all, 1);
    CHECK(pinfold_value_kind(entries) == PINFOLD_KIND_MAP && int_of(pinfold_value_part(entries, 0)) == 7);
    pinfold_value_text(pinfold_value_key(entries, 0), &length);
    CHECK(length == 3);
    CHECK(pinfold_value_kind(pinfold_value_part(all, 2)) == PINFOLD_KIND_SET);
    CHECK(pinfold_value_kind(pinfold_value_part(all, 3)) == PINFOLD_KIND_SOME);
    const pinfold_value_t *failed = pinfold_value_part(all, 4), *record = pinfold_value_part(all, 5);
    CHECK(pinfold_value_kind(failed) == PINFOLD_KIND_ERR && is_text(pinfold_value_part(failed, 0), "no"));
    CHECK(is_text(pinfold_value_field(record, "name"), "nails") && int_of(pinfold_value_field(record, "qty")) == 6);
    const char *name = pinfold_value_field_name(record, 0, &length);
    CHECK(length == 4 && memcmp(name, "name", 4) == 0);
    const pinfold_value_t *list = pinfold_value_part(all, 6);
    CHECK(pinfold_value_is_variant(pinfold_value_part(list, 0), "Point"));
    double number = 0;
    CHECK(pinfold_value_get_float(pinfold_value_field(pinfold_value_part(list, 1), "0"), &number) && number == 1.5);
    CHECK(pinfold_value_get_float(pinfold_value_field(pinfold_value_part(list, 2), "h"), &number) && number == 2);
    pinfold_value_variant_name(pinfold_value_part(list, 2), &length);
    CHECK(length == 4);

    pinfold_value_t *copy = pinfold_value_copy(list);
    pinfold_value_delete(all);
    CHECK(pinfold_value_count(copy) == 3);
    pinfold_value_delete(copy);
    for (size_t i = 0; i < 8; i++) {
        pinfold_value_delete(arguments[i]);
    }
    pinfold_program_delete(program);
    pinfold_vm_delete(vm);
}

static void errors_say_what_and_where(void)
{
    pinfold_vm_t *vm = plain_vm();
    pinfold_program_t *program;
    pinfold_error_t *error = pinfold_vm_compile(vm, "wrong.fold", "pub fn f() -> Int { \"x\" }", &program);
    CHECK(error != NULL && program == NULL && pinfold_error_code(error)[0] == 'F');
    CHECK(strstr(pinfold_error_findings(error), "\"file\":\"wrong.fold\"") != NULL);
    pinfold_usage_t usage;
    CHECK(!pinfold_error_usage(error, &usage));
    pinfold_error_delete(error);

    program = compiled(vm, "pub fn half(n: Int) -> Int {\n    assert n % 2 == 0, \"odd\"\n    n / 2\n}");
    pinfold_value_t *arguments[] = {pinfold_value_int(3)};
    error = pinfold_program_call(program, "half", arguments, 1, NULL);
    CHECK(strcmp(pinfold_error_code(error), "panicked") == 0);
    CHECK(strcmp(pinfold_error_stack(error), "half  test.fold:2:5") == 0);
    CHECK(strcmp(pinfold_error_findings(error), "[]") == 0);
    CHECK(pinfold_error_usage(error, &usage) && usage.fuel > 0);
    pinfold_error_delete(error);
    pinfold_value_delete(arguments[0]);
    pinfold_program_delete(program);
    pinfold_vm_delete(vm);
}

static void modules_are_compiled_together(void)
{
    pinfold_vm_t *vm = plain_vm();
    const char *paths[] = {"main.fold", "text/words.fold"};
    const char *sources[] = {"import text/words\npub fn count(s: String) -> Int { words.count(s) }",
                             "pub fn count(s: String) -> Int { s.split(\" \").count() }"};
    pinfold_program_t *program;
    FINE(pinfold_vm_compile_modules(vm, "main.fold", paths, sources, 2, &program));
    pinfold_value_t *arguments[] = {pinfold_value_string("a b c")}, *result;
    FINE(pinfold_program_call(program, "count", arguments, 1, &result));
    CHECK(int_of(result) == 3);
    pinfold_value_delete(result);
    pinfold_value_delete(arguments[0]);
    pinfold_program_delete(program);
    FAILS("grant", pinfold_vm_compile_modules(vm, "other.fold", paths, sources, 2, &program));
    FAILS("grant", pinfold_vm_compile_file(vm, "/nowhere.fold", &program));
    pinfold_vm_delete(vm);
}

static void limits_end_programs(void)
{
    pinfold_limits_t limits = pinfold_limits_default();
    limits.fuel = 100000;
    pinfold_settings_t *settings = pinfold_settings_new();
    FINE(pinfold_settings_limits(settings, &limits));
    FINE(pinfold_settings_tier(settings, PINFOLD_TIER_INTERPRETER));
    pinfold_vm_t *vm;
    FINE(pinfold_vm_new(settings, &vm));
    pinfold_settings_delete(settings);
    pinfold_program_t *program = compiled(vm, "pub fn endless() { while true {} }\n"
                                              "pub fn large(n: Int) -> Int { List.repeat(1, n).len() }");
    FAILS("limit.fuel", pinfold_program_call(program, "endless", NULL, 0, NULL));
    pinfold_program_t *other;
    limits.fuel = 1000000000;
    limits.memory = 1 << 20;
    FINE(pinfold_program_with_limits(program, &limits, &other));
    pinfold_value_t *arguments[] = {pinfold_value_int(10000000)};
    FAILS("limit.memory", pinfold_program_call(other, "large", arguments, 1, NULL));
    pinfold_value_delete(arguments[0]);
    pinfold_program_delete(other);
    limits.fuel = UINT64_MAX - 1;
    limits.deadline_ms = 50;
    FINE(pinfold_program_with_limits(program, &limits, &other));
    FAILS("limit.time", pinfold_program_call(other, "endless", NULL, 0, NULL));
    pinfold_program_delete(other);
    pinfold_program_delete(program);
    pinfold_vm_delete(vm);
}

static void *cancels(void *cancel)
{
    pinfold_cancel_now(cancel);
    return NULL;
}

static void another_thread_cancels(void)
{
    pinfold_limits_t limits = pinfold_limits_default();
    limits.fuel = limits.deadline_ms = PINFOLD_UNLIMITED;
    pinfold_settings_t *settings = pinfold_settings_new();
    FINE(pinfold_settings_limits(settings, &limits));
    pinfold_vm_t *vm;
    FINE(pinfold_vm_new(settings, &vm));
    pinfold_settings_delete(settings);
    pinfold_program_t *program = compiled(vm, "pub fn endless() { while true {} }"), *watched;
    pinfold_cancel_t *cancel = pinfold_cancel_new();
    FINE(pinfold_program_with_cancel(program, cancel, &watched));
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, cancels, cancel) == 0);
    // Whichever of the two comes first.
    FAILS("cancelled", pinfold_program_call(watched, "endless", NULL, 0, NULL));
    CHECK(pthread_join(thread, NULL) == 0);
    pinfold_cancel_delete(cancel);
    pinfold_program_delete(watched);
    pinfold_program_delete(program);
    pinfold_vm_delete(vm);
}

static void a_session_keeps_what_it_was_granted(void)
{
    pinfold_vm_t *vm = plain_vm();
    pinfold_program_t *program = compiled(vm, "pub fn said(log: Console, what: String) { log.print(what) }");
    pinfold_console_t *log = pinfold_console_capture();
    pinfold_grants_t *grants = pinfold_grants_new();
    FINE(pinfold_grants_console(grants, "log", log));
    pinfold_session_t *session;
    FINE(pinfold_session_new(program, grants, &session));
    pinfold_grants_delete(grants);
    pinfold_program_delete(program);
    pinfold_value_t *arguments[] = {pinfold_value_string("one")};
    FINE(pinfold_session_call(session, "said", arguments, 1, NULL));
    FINE(pinfold_session_call(session, "said", arguments, 1, NULL));
    FAILS("no_function", pinfold_session_run(session, NULL));
    pinfold_session_delete(session);
    char *text = pinfold_console_text(log, NULL);
    CHECK(strcmp(text, "one\none\n") == 0);
    pinfold_text_delete(text);
    pinfold_value_delete(arguments[0]);
    pinfold_console_delete(log);
    pinfold_vm_delete(vm);
}

int main(int count, char **arguments)
{
    CHECK(count == 2);
    a_call_takes_and_gives_values();
    a_script_uses_what_it_was_granted(arguments[1]);
    values_of_all_kinds_cross();
    errors_say_what_and_where();
    modules_are_compiled_together();
    limits_end_programs();
    another_thread_cancels();
    a_session_keeps_what_it_was_granted();
    return 0;
}
