// Programs in workers.

#include "check.h"

int main(int count, char **arguments)
{
    CHECK(count == 2);
    pinfold_settings_t *settings = pinfold_settings_new();
    FINE(pinfold_settings_isolation(settings, PINFOLD_ISOLATION_WORKER));
    FINE(pinfold_settings_worker(settings, "/nowhere/pinfold-worker"));
    pinfold_vm_t *vm;
    FINE(pinfold_vm_new(settings, &vm));
    pinfold_program_t *program;
    FAILS("worker", pinfold_vm_compile(vm, "test.fold", "pub fn f() {}", &program));
    pinfold_vm_delete(vm);

    FINE(pinfold_settings_worker(settings, arguments[1]));
    FINE(pinfold_vm_new(settings, &vm));
    pinfold_settings_delete(settings);
    program = compiled(vm, "pub fn twice(x: Int) -> Int { x * 2 }\n"
                           "pub fn endless() { while true {} }\n"
                           "fn main(out: Console) { out.print(\"from a worker\") }");
    pinfold_value_t *number = pinfold_value_int(21), *result;
    FINE(pinfold_program_call(program, "twice", &number, 1, &result));
    CHECK(int_of(result) == 42);
    pinfold_value_delete(result);
    pinfold_value_delete(number);
    number = pinfold_value_int(INT64_MAX);
    FAILS("panicked", pinfold_program_call(program, "twice", &number, 1, NULL));
    pinfold_value_delete(number);
    FAILS("limit.fuel", pinfold_program_call(program, "endless", NULL, 0, NULL));

    pinfold_cancel_t *cancel = pinfold_cancel_new();
    pinfold_program_t *watched;
    FINE(pinfold_program_with_cancel(program, cancel, &watched));
    pinfold_cancel_now(cancel);
    FAILS("cancelled", pinfold_program_call(watched, "endless", NULL, 0, NULL));
    pinfold_cancel_delete(cancel);
    pinfold_program_delete(watched);

    pinfold_console_t *out = pinfold_console_capture();
    pinfold_grants_t *grants = pinfold_grants_new();
    FINE(pinfold_grants_console(grants, "out", out));
    FINE(pinfold_program_run(program, grants, NULL));
    char *text = pinfold_console_text(out, NULL);
    CHECK(strcmp(text, "from a worker\n") == 0);
    pinfold_text_delete(text);
    pinfold_grants_delete(grants);
    pinfold_console_delete(out);
    pinfold_program_delete(program);
    pinfold_vm_delete(vm);
    return 0;
}
