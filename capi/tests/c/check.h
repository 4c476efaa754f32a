// What the tests in C have in common.

#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pinfold.h"

#define CHECK(condition)                                                                  \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                      \
        }                                                                                 \
    } while (0)

// That there is no error.
#define FINE(call)                                                                                            \
    do {                                                                                                      \
        pinfold_error_t *error_ = (call);                                                                     \
        if (error_ != NULL) {                                                                                 \
            fprintf(stderr, "%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call, pinfold_error_code(error_),     \
                    pinfold_error_message(error_));                                                           \
            exit(1);                                                                                          \
        }                                                                                                     \
    } while (0)

// That there is an error with this code.
#define FAILS(wanted, call)                                                                                   \
    do {                                                                                                      \
        pinfold_error_t *error_ = (call);                                                                     \
        CHECK(error_ != NULL);                                                                                \
        if (strcmp(pinfold_error_code(error_), wanted) != 0) {                                                \
            fprintf(stderr, "%s:%d: %s: %s instead of %s: %s\n", __FILE__, __LINE__, #call,                   \
                    pinfold_error_code(error_), wanted, pinfold_error_message(error_));                       \
            exit(1);                                                                                          \
        }                                                                                                     \
        CHECK(pinfold_error_message(error_) != NULL);                                                         \
        pinfold_error_delete(error_);                                                                         \
    } while (0)

// Whether a value is this text.
static inline bool is_text(const pinfold_value_t *value, const char *wanted)
{
    size_t length;
    const char *text = pinfold_value_text(value, &length);
    return text != NULL && length == strlen(wanted) && memcmp(text, wanted, length) == 0;
}

static inline int64_t int_of(const pinfold_value_t *value)
{
    int64_t found = -1;
    CHECK(pinfold_value_get_int(value, &found));
    return found;
}

static inline pinfold_vm_t *plain_vm(void)
{
    pinfold_vm_t *vm;
    FINE(pinfold_vm_new(NULL, &vm));
    return vm;
}

static inline pinfold_program_t *compiled(pinfold_vm_t *vm, const char *source)
{
    pinfold_program_t *program;
    FINE(pinfold_vm_compile(vm, "test.fold", source, &program));
    return program;
}

#endif
