// Pinfold: a process virtual machine for untrusted code.
//
// This file is made from the crate pinfold-capi: change that. How to build and link it, with an example: docs/c-api.md.
//
// Errors. A function that can fail returns a `pinfold_error_t *`: NULL is success, anything else is the caller's to
// delete. What such a function makes it puts where its last parameter points, which is NULL after a failure. No panic
// leaves the library. A NULL where something is needed is an error with the code `argument`, never a crash; functions
// without an error give NULL, 0 or false for it.
//
// Ownership. A handle that a function gives is the caller's, until it is given to the `_delete` of its type, which takes
// NULL too. Functions keep what they need of handles that they are given, so that these can be deleted in any order. What
// is taken over (values that become parts of others, `data` with its finalizer, what callbacks give) is taken also
// where the function fails. `const char *` results, and parts of values, live as long as what they are of.
//
// Threads. Handles can go from thread to thread. Which may be used by several at once stands at their types.
//
// Texts. A `const char *` parameter is UTF-8 with a zero byte at its end, and is copied.

#ifndef PINFOLD_H
#define PINFOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// No limit, for those that can be left out.
#define PINFOLD_UNLIMITED UINT64_MAX

// What a value is.
typedef enum pinfold_kind_t {
    // No value: NULL.
    PINFOLD_KIND_NOTHING,
    // `Int`
    PINFOLD_KIND_INT,
    // `Float`
    PINFOLD_KIND_FLOAT,
    // `Bool`
    PINFOLD_KIND_BOOL,
    // `Char`
    PINFOLD_KIND_CHAR,
    // `String`, or the message of a `dyn Error`
    PINFOLD_KIND_STRING,
    // `Bytes`
    PINFOLD_KIND_BYTES,
    // A tuple; the unit `()` has no parts.
    PINFOLD_KIND_TUPLE,
    // `List<T>`
    PINFOLD_KIND_LIST,
    // `Set<T>`
    PINFOLD_KIND_SET,
    // `Map<K, V>`
    PINFOLD_KIND_MAP,
    // `None`
    PINFOLD_KIND_NONE,
    // `Some(_)`: its part is what is in it.
    PINFOLD_KIND_SOME,
    // `Ok(_)`: its part is what is in it.
    PINFOLD_KIND_OK,
    // `Err(_)`: its part is what is in it.
    PINFOLD_KIND_ERR,
    // A record: its parts are its fields.
    PINFOLD_KIND_RECORD,
    // A variant of an enum: its parts are its fields.
    PINFOLD_KIND_VARIANT,
} pinfold_kind_t;

// How code is run.
typedef enum pinfold_tier_t {
    // Starts in the interpreter; what turns hot is compiled in the background.
    PINFOLD_TIER_AUTO,
    // By the interpreter alone.
    PINFOLD_TIER_INTERPRETER,
    // Everything is compiled before it runs.
    PINFOLD_TIER_JIT,
} pinfold_tier_t;

// Where programs are compiled and run.
typedef enum pinfold_isolation_t {
    // In this process: held by the machine alone.
    PINFOLD_ISOLATION_IN_PROCESS,
    // In a process of their own each time, which is locked down before it reads a byte of them.
    PINFOLD_ISOLATION_WORKER,
} pinfold_isolation_t;

// What a value of WebAssembly is.
typedef enum pinfold_wasm_kind_t {
    // `i32`
    PINFOLD_WASM_KIND_I32,
    // `i64`
    PINFOLD_WASM_KIND_I64,
    // `f32`
    PINFOLD_WASM_KIND_F32,
    // `f64`
    PINFOLD_WASM_KIND_F64,
    // `v128`
    PINFOLD_WASM_KIND_V128,
} pinfold_wasm_kind_t;

// Whoever called a host function: good until that returns, on its thread.
typedef struct pinfold_caller_t pinfold_caller_t;

// Ends programs from another thread: all that run with it, and those that are run with it later. For any number of threads at once.
typedef struct pinfold_cancel_t pinfold_cancel_t;

// An interface of the host's own, whose functions are callbacks. Programs import it from the module `host`. For one thread at a time.
typedef struct pinfold_capability_t pinfold_capability_t;

// A place where programs write texts and read lines: any number of them at once. The handle is for one thread at a time.
typedef struct pinfold_console_t pinfold_console_t;

// A compiler of WebAssembly and its settings. For any number of threads at once.
typedef struct pinfold_engine_t pinfold_engine_t;

// What went wrong.
//
// A function that can fail returns one of these, or NULL if it did not. Whoever gets one deletes it.
typedef struct pinfold_error_t pinfold_error_t;

// What a program is granted, by the names that it has for it. Nothing is, unless it is put in here. For one thread at a time.
typedef struct pinfold_grants_t pinfold_grants_t;

// A module with its state, in a store. Good with that alone.
typedef struct pinfold_instance_t pinfold_instance_t;

// Ends what runs in a store. For any number of threads at once.
typedef struct pinfold_interrupt_t pinfold_interrupt_t;

// Named things that modules may import. For one thread at a time.
typedef struct pinfold_linker_t pinfold_linker_t;

// A verified module. For any number of threads at once.
typedef struct pinfold_module_t pinfold_module_t;

// Something of a capability that can be granted. For any number of threads at once.
typedef struct pinfold_object_t pinfold_object_t;

// A compiled program. For any number of threads at once.
typedef struct pinfold_program_t pinfold_program_t;

// A program with what it was granted, of which several functions can be called, one after the other. While one is called, another call, by
// another thread or a callback, is an error.
typedef struct pinfold_session_t pinfold_session_t;

// Settings of a machine that is to be made. For one thread at a time.
typedef struct pinfold_settings_t pinfold_settings_t;

// What instances share: memory, limits, and something of the host's own. While it is used, another use, by another thread or a
// callback, is an error.
typedef struct pinfold_store_t pinfold_store_t;

// A value of a program in Fold. For one thread at a time.
//
// Makers give values that are the caller's to delete. What a value is put into takes it over. Parts are looked at where they
// are: valid as long as the whole, and not to be deleted.
typedef struct pinfold_value_t pinfold_value_t;

// A machine, which compiles programs. For any number of threads at once.
typedef struct pinfold_vm_t pinfold_vm_t;

// What a program used.
typedef struct pinfold_usage_t {
    // Units of fuel; `PINFOLD_UNLIMITED` if they are not counted.
    uint64_t fuel;
    // The most bytes of memory at one time.
    uint64_t memory;
    // Bytes that were written.
    uint64_t output;
    // How many nanoseconds it took.
    uint64_t time_ns;
} pinfold_usage_t;

// What a program may use each time that it is called: start from `pinfold_limits_default`.
typedef struct pinfold_limits_t {
    // Units of fuel; `PINFOLD_UNLIMITED` counts none.
    uint64_t fuel;
    // Bytes of memory.
    uint64_t memory;
    // How many milliseconds it may take; `PINFOLD_UNLIMITED`: as long as it likes.
    uint64_t deadline_ms;
    // Bytes of its stack.
    size_t stack;
    // Bytes that it writes, and bytes of what a function gives.
    uint64_t output;
    // Files, directories and connections that are open at a time.
    size_t handles;
} pinfold_limits_t;

// A function of a capability.
//
// `data` is what was given along with it, `state` that of the object. There are as many `arguments` as are declared, of the declared types;
// they are the callee's to look at until it returns. It puts a value of the declared type at `result`, which is taken over; nothing there
// is the unit. What it returns is NULL, or an error, which is taken over and ends the program. What the program is to deal
// with itself is a value: `pinfold_value_err`, where the declared type is a `Result`.
//
// It is called on the thread that called the program; by several at once, if there are such. It does not unwind, by a C++ exception or
// `longjmp`.
typedef struct pinfold_error_t *(*pinfold_method_t)(void *data,
                                                    void *state,
                                                    struct pinfold_value_t *const *arguments,
                                                    size_t count,
                                                    struct pinfold_value_t **result);

// Frees what was given along with it, once nothing uses it any more, on whatever thread that is. NULL: there is nothing to be done.
typedef void (*pinfold_finalizer_t)(void *data);

// The number that a value is.
typedef union pinfold_wasm_number_t {
    // Of `PINFOLD_WASM_I32`.
    int32_t i32;
    // Of `PINFOLD_WASM_I64`.
    int64_t i64;
    // Of `PINFOLD_WASM_F32`.
    float f32;
    // Of `PINFOLD_WASM_F64`.
    double f64;
    // Of `PINFOLD_WASM_V128`: its bytes, the lowest first.
    uint8_t v128[16];
} pinfold_wasm_number_t;

// A value of WebAssembly. It is passed by copying, and owns nothing.
typedef struct pinfold_wasm_value_t {
    // A `pinfold_wasm_kind_t`.
    uint32_t kind;
    // The number, by its kind.
    union pinfold_wasm_number_t of;
} pinfold_wasm_value_t;

// A function of the host's own for WebAssembly.
//
// `data` is what was given along with it. There are as many `arguments` and `results` as its type has, of the kinds that it has; results are
// zero before. What it returns is NULL, or an error, which is taken over and ends the program. It runs on the
// guest's stack, where it has half a MiB, and does not unwind, by a C++ exception or `longjmp`.
typedef struct pinfold_error_t *(*pinfold_host_function_t)(void *data,
                                                           struct pinfold_caller_t *caller,
                                                           const struct pinfold_wasm_value_t *arguments,
                                                           size_t count,
                                                           struct pinfold_wasm_value_t *results,
                                                           size_t result_count);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// An error of the host's own, for callbacks to return.
//
// `message` is UTF-8. NULL for it, or no UTF-8, is an error without a message.
struct pinfold_error_t *pinfold_error_new(const char *message);

// What it is, in a word that does not change: `argument` for a call of this interface that is wrong (NULL, no UTF-8, a value of the wrong
// kind, a handle that is in use), `panic` for a mistake of the library's. Of the layer for Fold those of the crate: `not_granted`,
// `limit.fuel`, `panicked`, `type`, `worker`, `host` …, of a source that is wrong the code of the first finding, as `F0301`. Of the
// layer for WebAssembly `module`, `link`, `type` …, and `trap.` with the trap: `trap.unreachable`, `trap.out_of_fuel` …
//
// Valid as long as the error; NULL if that is NULL.
const char *pinfold_error_code(const struct pinfold_error_t *error);

// What it is, for people; of a source that is wrong all that is, with places.
//
// Valid as long as the error; NULL if that is NULL.
const char *pinfold_error_message(const struct pinfold_error_t *error);

// Where the program was when it was ended: a line for each function, the newest first. Empty where that is not known.
//
// Valid as long as the error; NULL if that is NULL.
const char *pinfold_error_stack(const struct pinfold_error_t *error);

// What is wrong with a source, as JSON: an array of objects with `code`, `severity`, `message`, `spans` (`file`, `line`, `column` …),
// `notes`, `help`, `edits`, `text`. `[]` for other errors.
//
// Valid as long as the error; NULL if that is NULL.
const char *pinfold_error_findings(const struct pinfold_error_t *error);

// What the program used until it was ended. Whether that is known; `usage` is written only then.
bool pinfold_error_usage(const struct pinfold_error_t *error, struct pinfold_usage_t *usage);

// Frees an error; NULL is none.
void pinfold_error_delete(struct pinfold_error_t *error);

// The limits that there are by default: 10^9 units of fuel, 256 MiB of memory, 5 s, 1 MiB of stack, 16 MiB of output, 64 handles.
struct pinfold_limits_t pinfold_limits_default(void);

// One by which nothing is cancelled yet.
struct pinfold_cancel_t *pinfold_cancel_new(void);

// Ends what runs, and what is to run with it. May be called by any thread, but not by a signal handler.
void pinfold_cancel_now(const struct pinfold_cancel_t *cancel);

// Frees the handle; programs that run with it go on.
void pinfold_cancel_delete(struct pinfold_cancel_t *cancel);

// One that keeps what is written, and has nothing to be read.
struct pinfold_console_t *pinfold_console_capture(void);

// The standard streams of this process.
struct pinfold_console_t *pinfold_console_inherit(void);

// Lets programs read `length` bytes at `input`, which are copied: those that it is granted to after this.
struct pinfold_error_t *pinfold_console_input(struct pinfold_console_t *console,
                                              const uint8_t *input,
                                              size_t length);

// What was written until now, if it is kept: UTF-8, in which U+FFFD stands for zero bytes, with a zero byte behind it; to be freed with `pinfold_text_delete`. `length` is
// told without the zero, unless it is NULL.
char *pinfold_console_text(const struct pinfold_console_t *console,
                           size_t *length);

// What was written where errors go, likewise.
char *pinfold_console_errors(const struct pinfold_console_t *console, size_t *length);

// Frees a text that the caller was given; NULL is none.
void pinfold_text_delete(char *text);

// Frees the handle; what the console was granted to keeps it.
void pinfold_console_delete(struct pinfold_console_t *console);

// The unit `()`: a tuple without parts.
struct pinfold_value_t *pinfold_value_unit(void);

// An `Int`.
struct pinfold_value_t *pinfold_value_int(int64_t value);

// A `Float`.
struct pinfold_value_t *pinfold_value_float(double value);

// A `Bool`.
struct pinfold_value_t *pinfold_value_bool(bool value);

// A `Char`: a Unicode scalar value. NULL if it is none.
struct pinfold_value_t *pinfold_value_char(uint32_t value);

// A `String` from UTF-8 with a zero byte at its end, which is copied. NULL if it is no UTF-8, or NULL.
struct pinfold_value_t *pinfold_value_string(const char *value);

// A `String` from `length` bytes of UTF-8, which are copied and may have zeros among them. NULL if they are no UTF-8.
struct pinfold_value_t *pinfold_value_string_of(const char *value,
                                                size_t length);

// `Bytes` from `length` bytes, which are copied.
struct pinfold_value_t *pinfold_value_bytes(const uint8_t *value, size_t length);

// A tuple, to which parts are added (`pinfold_value_push`).
struct pinfold_value_t *pinfold_value_tuple(void);

// A list, to which elements are added (`pinfold_value_push`).
struct pinfold_value_t *pinfold_value_list(void);

// A set, to which elements are added (`pinfold_value_push`).
struct pinfold_value_t *pinfold_value_set(void);

// A map, to which entries are added (`pinfold_value_insert`).
struct pinfold_value_t *pinfold_value_map(void);

// `None`
struct pinfold_value_t *pinfold_value_none(void);

// `Some(value)`; takes the value over. NULL if that is NULL.
struct pinfold_value_t *pinfold_value_some(struct pinfold_value_t *value);

// `Ok(value)`; takes the value over. NULL if that is NULL.
struct pinfold_value_t *pinfold_value_ok(struct pinfold_value_t *value);

// `Err(value)`; takes the value over. NULL if that is NULL.
struct pinfold_value_t *pinfold_value_err(struct pinfold_value_t *value);

// A record, whose fields are added (`pinfold_value_field_add`) by their names, in any order.
struct pinfold_value_t *pinfold_value_record(void);

// A variant of an enum. Fields with names are added (`pinfold_value_field_add`) by these, others in their order (`pinfold_value_push`).
// NULL if the name is NULL or no UTF-8.
struct pinfold_value_t *pinfold_value_variant(const char *name);

// Adds the next part to a tuple, list or set, or the next field without a name to a variant. Takes the part over, also where
// that fails.
struct pinfold_error_t *pinfold_value_push(struct pinfold_value_t *whole,
                                           struct pinfold_value_t *part);

// Adds an entry to a map. Takes key and value over, also where that fails.
struct pinfold_error_t *pinfold_value_insert(struct pinfold_value_t *map,
                                             struct pinfold_value_t *key,
                                             struct pinfold_value_t *value);

// Adds a field to a record or variant. Takes the value over, also where that fails.
struct pinfold_error_t *pinfold_value_field_add(struct pinfold_value_t *whole,
                                                const char *name,
                                                struct pinfold_value_t *value);

// A copy, which is the caller's to delete. NULL if the value is NULL.
struct pinfold_value_t *pinfold_value_copy(const struct pinfold_value_t *value);

// Frees a value with its parts; NULL is none.
void pinfold_value_delete(struct pinfold_value_t *value);

// What a value is.
enum pinfold_kind_t pinfold_value_kind(const struct pinfold_value_t *value);

// Whether it is an `Int`; `to` is written only then.
bool pinfold_value_get_int(const struct pinfold_value_t *value, int64_t *to);

// Whether it is a `Float`; `to` is written only then.
bool pinfold_value_get_float(const struct pinfold_value_t *value, double *to);

// Whether it is a `Bool`; `to` is written only then.
bool pinfold_value_get_bool(const struct pinfold_value_t *value, bool *to);

// Whether it is a `Char`; `to` is written only then.
bool pinfold_value_get_char(const struct pinfold_value_t *value, uint32_t *to);

// The bytes of a `String`, which are UTF-8, or of `Bytes`: `length` of them, without a zero behind them. NULL for other values, with a
// length of 0.
const char *pinfold_value_text(const struct pinfold_value_t *value,
                               size_t *length);

// The name of a variant: `length` bytes, without a zero behind them. NULL for other values.
const char *pinfold_value_variant_name(const struct pinfold_value_t *value, size_t *length);

// Whether a value is the variant of this name.
bool pinfold_value_is_variant(const struct pinfold_value_t *value, const char *name);

// How many parts a value has: elements, entries, fields, what is in `Some`, `Ok` and `Err`. 0 for those that have none.
size_t pinfold_value_count(const struct pinfold_value_t *value);

// A part by its place, from 0 on; of a map the value of an entry. NULL if there is none.
const struct pinfold_value_t *pinfold_value_part(const struct pinfold_value_t *value, size_t place);

// The key of an entry of a map by its place, from 0 on. NULL if there is none.
const struct pinfold_value_t *pinfold_value_key(const struct pinfold_value_t *map, size_t place);

// A field of a record or variant by its name; those without names are called `0`, `1` and so on. NULL if there is none.
const struct pinfold_value_t *pinfold_value_field(const struct pinfold_value_t *value,
                                                  const char *name);

// The name of a field of a record or variant by its place: `length` bytes, without a zero behind them. NULL if there is none.
const char *pinfold_value_field_name(const struct pinfold_value_t *value,
                                     size_t place,
                                     size_t *length);

// A capability from how it is written in Fold, with the records and enums that it names:
//
// ```text
// capability Search { fn search(self, query: String, limit: Int) -> List<Hit> }
// record Hit { title: String, score: Float }
// ```
struct pinfold_error_t *pinfold_capability_new(const char *declaration,
                                               struct pinfold_capability_t **capability);

// Says what a function of a capability does; machines that have the capability already are not changed. Takes `data` over: `finalizer` frees
// it, also where this fails.
struct pinfold_error_t *pinfold_capability_method(struct pinfold_capability_t *capability,
                                                  const char *name,
                                                  pinfold_method_t method,
                                                  void *data,
                                                  pinfold_finalizer_t finalizer);

// An object of a capability, to be granted. Takes `state` over: `finalizer` frees it once no program has the object, also where
// this fails.
struct pinfold_error_t *pinfold_capability_object(const struct pinfold_capability_t *capability,
                                                  void *state,
                                                  pinfold_finalizer_t finalizer,
                                                  struct pinfold_object_t **object);

// Frees the handle; programs that have the object keep it.
void pinfold_object_delete(struct pinfold_object_t *object);

// Frees the handle; machines and objects that have the capability keep it.
void pinfold_capability_delete(struct pinfold_capability_t *capability);

// Nothing yet.
struct pinfold_grants_t *pinfold_grants_new(void);

// Grants a console.
struct pinfold_error_t *pinfold_grants_console(struct pinfold_grants_t *grants,
                                               const char *name,
                                               const struct pinfold_console_t *console);

// Grants the directory at a path, and what is below it: to read, and to change if it is `writable`.
struct pinfold_error_t *pinfold_grants_dir(struct pinfold_grants_t *grants,
                                           const char *name,
                                           const char *path,
                                           bool writable);

// Grants a connection to `HOST:PORT`, which is opened when the program begins. A name has to lead to a public address.
struct pinfold_error_t *pinfold_grants_connect(struct pinfold_grants_t *grants,
                                               const char *name,
                                               const char *origin);

// Grants being a server at `ADDRESS:PORT` of this host.
struct pinfold_error_t *pinfold_grants_listen(struct pinfold_grants_t *grants,
                                              const char *name,
                                              const char *address);

// Grants the time, in multiples of so many nanoseconds; 0 is a millisecond.
struct pinfold_error_t *pinfold_grants_clock(struct pinfold_grants_t *grants,
                                             const char *name,
                                             uint64_t resolution_ns);

// Grants random numbers.
struct pinfold_error_t *pinfold_grants_random(struct pinfold_grants_t *grants, const char *name);

// Grants environment variables, which need not be those of this process: `count` keys, and what each stands for.
struct pinfold_error_t *pinfold_grants_env(struct pinfold_grants_t *grants,
                                           const char *name,
                                           const char *const *keys,
                                           const char *const *contents,
                                           size_t count);

// Grants arguments, as a command line has them, without the program's name: `count` of them.
struct pinfold_error_t *pinfold_grants_args(struct pinfold_grants_t *grants,
                                            const char *name,
                                            const char *const *args,
                                            size_t count);

// Grants an object of a capability of the host's own.
struct pinfold_error_t *pinfold_grants_object(struct pinfold_grants_t *grants,
                                              const char *name,
                                              const struct pinfold_object_t *object);

// Frees the handle; programs that were granted something keep it.
void pinfold_grants_delete(struct pinfold_grants_t *grants);

// The settings that there are by default.
struct pinfold_settings_t *pinfold_settings_new(void);

// Sets what programs may use.
struct pinfold_error_t *pinfold_settings_limits(struct pinfold_settings_t *settings,
                                                const struct pinfold_limits_t *limits);

// Sets how code is run: a `pinfold_tier_t`.
struct pinfold_error_t *pinfold_settings_tier(struct pinfold_settings_t *settings, uint32_t tier);

// Sets where programs run: a `pinfold_isolation_t`.
struct pinfold_error_t *pinfold_settings_isolation(struct pinfold_settings_t *settings,
                                                   uint32_t isolation);

// Sets where the executable `pinfold-worker` is: otherwise it is what the variable `PINFOLD_WORKER` names, or beside this process's
// executable.
struct pinfold_error_t *pinfold_settings_worker(struct pinfold_settings_t *settings,
                                                const char *path);

// Sets how many workers are kept ready for calls like those that were made before.
struct pinfold_error_t *pinfold_settings_spare_workers(struct pinfold_settings_t *settings,
                                                       size_t count);

// Adds a capability of the host's own, as it is now.
struct pinfold_error_t *pinfold_settings_capability(struct pinfold_settings_t *settings,
                                                    const struct pinfold_capability_t *capability);

// Frees the handle.
void pinfold_settings_delete(struct pinfold_settings_t *settings);

// A machine with these settings, which stay the caller's; NULL: those that there are by default.
struct pinfold_error_t *pinfold_vm_new(const struct pinfold_settings_t *settings,
                                       struct pinfold_vm_t **vm);

// Compiles a program that is one text. `name` is what messages call it, as `report.fold`.
struct pinfold_error_t *pinfold_vm_compile(const struct pinfold_vm_t *vm,
                                           const char *name,
                                           const char *source,
                                           struct pinfold_program_t **program);

// Compiles a program of `count` texts, each with its path, as `text/words.fold`; `root` is the path of the one that it begins with.
struct pinfold_error_t *pinfold_vm_compile_modules(const struct pinfold_vm_t *vm,
                                                   const char *root,
                                                   const char *const *paths,
                                                   const char *const *sources,
                                                   size_t count,
                                                   struct pinfold_program_t **program);

// Compiles the program in a file, with the files of its package.
struct pinfold_error_t *pinfold_vm_compile_file(const struct pinfold_vm_t *vm,
                                                const char *path,
                                                struct pinfold_program_t **program);

// Frees the handle; programs that it compiled go on.
void pinfold_vm_delete(struct pinfold_vm_t *vm);

// What the program needs: a line for each parameter of its `main`, or of its `needs`, as `out: Console`. To be freed with
// `pinfold_text_delete`; NULL if the program is NULL.
char *pinfold_program_needs(const struct pinfold_program_t *program);

// The functions that can be called: a line for each, as it is declared. To be freed with `pinfold_text_delete`; NULL if the program
// is NULL.
char *pinfold_program_functions(const struct pinfold_program_t *program);

// The same program with other limits, as another handle. Whether fuel is counted at all is the machine's to say.
struct pinfold_error_t *pinfold_program_with_limits(const struct pinfold_program_t *program,
                                                    const struct pinfold_limits_t *limits,
                                                    struct pinfold_program_t **limited);

// The same program, as another handle, which ends when this is cancelled.
struct pinfold_error_t *pinfold_program_with_cancel(const struct pinfold_program_t *program,
                                                    const struct pinfold_cancel_t *cancel,
                                                    struct pinfold_program_t **cancelled);

// Runs a program from its beginning to its end: `main`, or a script's statements. `grants` stay the caller's; NULL: nothing is
// granted. `usage` is told what it used, unless it is NULL.
struct pinfold_error_t *pinfold_program_run(const struct pinfold_program_t *program,
                                            const struct pinfold_grants_t *grants,
                                            struct pinfold_usage_t *usage);

// Calls a public function that takes no capabilities, with `count` arguments, which stay the caller's. What it gives is put at `result` and
// is the caller's to delete; it is not told if that is NULL.
struct pinfold_error_t *pinfold_program_call(const struct pinfold_program_t *program,
                                             const char *function,
                                             struct pinfold_value_t *const *with,
                                             size_t count,
                                             struct pinfold_value_t **result);

// Frees the handle. What runs or is granted goes on.
void pinfold_program_delete(struct pinfold_program_t *program);

// Grants a program something for several calls. `grants` stay the caller's; NULL: nothing is granted.
struct pinfold_error_t *pinfold_session_new(const struct pinfold_program_t *program,
                                            const struct pinfold_grants_t *grants,
                                            struct pinfold_session_t **session);

// Calls a public function, as `pinfold_program_call`; what it takes of capabilities is found among what was granted, and is no
// argument.
struct pinfold_error_t *pinfold_session_call(const struct pinfold_session_t *session,
                                             const char *function,
                                             struct pinfold_value_t *const *with,
                                             size_t count,
                                             struct pinfold_value_t **result);

// Runs `main`, or a script's statements. `usage` is told what it used, unless it is NULL.
struct pinfold_error_t *pinfold_session_run(const struct pinfold_session_t *session,
                                            struct pinfold_usage_t *usage);

// Ends a session, and frees the handle. Not while a function of it is called.
void pinfold_session_delete(struct pinfold_session_t *session);

// An engine that runs code as `tier`, a `pinfold_tier_t`, says, and counts fuel if it is to.
struct pinfold_error_t *pinfold_engine_new(uint32_t tier,
                                           bool fuel,
                                           struct pinfold_engine_t **engine);

// Frees the handle; what was made with it goes on.
void pinfold_engine_delete(struct pinfold_engine_t *engine);

// A module from `length` bytes in the binary format, which are copied.
struct pinfold_error_t *pinfold_module_new(const struct pinfold_engine_t *engine,
                                           const uint8_t *bytes,
                                           size_t length,
                                           struct pinfold_module_t **module);

// What a module imports: a line for each, as `host::add: (func (param i32 i32) (result i32))`. To be freed with
// `pinfold_text_delete`; NULL if the module is NULL.
char *pinfold_module_imports(const struct pinfold_module_t *module);

// What a module exports: a line for each. To be freed with `pinfold_text_delete`; NULL if the module is NULL.
char *pinfold_module_exports(const struct pinfold_module_t *module);

// Frees the handle; its instances go on.
void pinfold_module_delete(struct pinfold_module_t *module);

// A store of an engine, whose programs may have so many bytes of memory and of stack; 0 for either: 256 MiB, 1 MiB. `data` is what
// host functions are told; takes it over: `finalizer` frees it with the store, also where this fails.
struct pinfold_error_t *pinfold_store_new(const struct pinfold_engine_t *engine,
                                          uint64_t memory,
                                          size_t stack,
                                          void *data,
                                          pinfold_finalizer_t finalizer,
                                          struct pinfold_store_t **store);

// Sets the fuel that programs may use from now on. An error if the engine counts none.
struct pinfold_error_t *pinfold_store_set_fuel(const struct pinfold_store_t *store, uint64_t fuel);

// The fuel that is left; 0 for NULL, while the store is in use, and if none is counted.
uint64_t pinfold_store_fuel(const struct pinfold_store_t *store);

// Ends whatever runs in so many milliseconds from now, with `trap.timeout`; `PINFOLD_UNLIMITED` lifts the deadline.
struct pinfold_error_t *pinfold_store_set_deadline(const struct pinfold_store_t *store,
                                                   uint64_t milliseconds);

// Ends a store with all its instances, and frees the handle. Not while something of it runs.
void pinfold_store_delete(struct pinfold_store_t *store);

// A handle by which other threads can end what runs in a store.
struct pinfold_error_t *pinfold_interrupt_new(const struct pinfold_store_t *store,
                                              struct pinfold_interrupt_t **interrupt);

// Ends the present run, or the next one if none is going on, with `trap.interrupted`. May be called by any thread, but not by a signal
// handler.
void pinfold_interrupt_now(const struct pinfold_interrupt_t *interrupt);

// Frees the handle.
void pinfold_interrupt_delete(struct pinfold_interrupt_t *interrupt);

// What the store was given as its data. NULL if the caller is NULL.
void *pinfold_caller_data(const struct pinfold_caller_t *caller);

// The bytes of a memory that the calling instance exports, and how many there are: good until the host function returns.
struct pinfold_error_t *pinfold_caller_memory(struct pinfold_caller_t *caller,
                                              const char *name,
                                              uint8_t **bytes,
                                              size_t *length);

// A linker of an engine, with nothing in it.
struct pinfold_error_t *pinfold_linker_new(const struct pinfold_engine_t *engine,
                                           struct pinfold_linker_t **linker);

// Defines a host function under two names. `params` and `results` are numbers of `pinfold_wasm_kind_t`, as many as is said. Takes `data`
// over: `finalizer` frees it once nothing has the function, also where this fails.
struct pinfold_error_t *pinfold_linker_func(struct pinfold_linker_t *linker,
                                            const char *module,
                                            const char *name,
                                            const uint32_t *params,
                                            size_t param_count,
                                            const uint32_t *results,
                                            size_t result_count,
                                            pinfold_host_function_t function,
                                            void *data,
                                            pinfold_finalizer_t finalizer);

// Defines all exports of an instance under one first name.
struct pinfold_error_t *pinfold_linker_instance(struct pinfold_linker_t *linker,
                                                const struct pinfold_store_t *store,
                                                const char *module,
                                                const struct pinfold_instance_t *instance);

// Makes an instance of a module in a store: all imports are looked up and checked before anything is done.
struct pinfold_error_t *pinfold_linker_instantiate(const struct pinfold_linker_t *linker,
                                                   const struct pinfold_store_t *store,
                                                   const struct pinfold_module_t *module,
                                                   struct pinfold_instance_t **instance);

// Frees the handle; its instances go on.
void pinfold_linker_delete(struct pinfold_linker_t *linker);

// Calls an exported function with `count` arguments; there has to be room for as many results as it has.
struct pinfold_error_t *pinfold_instance_call(const struct pinfold_instance_t *instance,
                                              const struct pinfold_store_t *store,
                                              const char *name,
                                              const struct pinfold_wasm_value_t *arguments,
                                              size_t count,
                                              struct pinfold_wasm_value_t *results,
                                              size_t result_count);

// The bytes of an exported memory, and how many there are: good until something of its store runs, or its memory grows.
struct pinfold_error_t *pinfold_instance_memory(const struct pinfold_instance_t *instance,
                                                const struct pinfold_store_t *store,
                                                const char *name,
                                                uint8_t **bytes,
                                                size_t *length);

// Copies `length` bytes out of an exported memory, from `at` on; `bounds` if there are not so many.
struct pinfold_error_t *pinfold_instance_read(const struct pinfold_instance_t *instance,
                                              const struct pinfold_store_t *store,
                                              const char *name,
                                              size_t at,
                                              uint8_t *to,
                                              size_t length);

// Copies `length` bytes into an exported memory, to `at`; `bounds` if there is no room for as many, and nothing is written then.
struct pinfold_error_t *pinfold_instance_write(const struct pinfold_instance_t *instance,
                                               const struct pinfold_store_t *store,
                                               const char *name,
                                               size_t at,
                                               const uint8_t *from,
                                               size_t length);

// Reads an exported global.
struct pinfold_error_t *pinfold_instance_global(const struct pinfold_instance_t *instance,
                                                const struct pinfold_store_t *store,
                                                const char *name,
                                                struct pinfold_wasm_value_t *value);

// Sets an exported global that is mutable.
struct pinfold_error_t *pinfold_instance_set_global(const struct pinfold_instance_t *instance,
                                                    const struct pinfold_store_t *store,
                                                    const char *name,
                                                    const struct pinfold_wasm_value_t *value);

// Lets go of an instance, and frees the handle. It ends with its store at the latest.
void pinfold_instance_delete(struct pinfold_instance_t *instance);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* PINFOLD_H */
