/* Reads arithmetic from standard input, one expression a line, and prints each value: + - * / ^, parentheses,
 * unary minus, and the functions sqrt, sin, cos, exp, log. Recursive descent. An error names its column. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *line, *at;
static const char *error;

static double sum(void);

static void fail(const char *what)
{
    if (!error)
        error = what;
}

static int accept(char c)
{
    while (*at == ' ' || *at == '\t')
        at++;
    if (*at != c)
        return 0;
    at++;
    return 1;
}

static double call(const char *name, double x)
{
    if (!strcmp(name, "sqrt"))
        return sqrt(x);
    if (!strcmp(name, "sin"))
        return sin(x);
    if (!strcmp(name, "cos"))
        return cos(x);
    if (!strcmp(name, "exp"))
        return exp(x);
    if (!strcmp(name, "log"))
        return log(x);
    fail("no such function");
    return 0;
}

static double atom(void)
{
    if (error)
        return 0;
    if (accept('-'))
        return -atom();
    if (accept('(')) {
        double value = sum();
        if (!accept(')'))
            fail("expected )");
        return value;
    }
    if (isalpha((unsigned char)*at)) {
        char name[16];
        size_t n = 0;
        while (isalpha((unsigned char)*at)) {
            if (n + 1 < sizeof name)
                name[n++] = *at;
            at++;
        }
        name[n] = 0;
        if (!accept('(')) {
            fail("expected (");
            return 0;
        }
        double argument = sum();
        if (!accept(')'))
            fail("expected )");
        return error ? 0 : call(name, argument);
    }
    char *end;
    double value = strtod(at, &end);
    if (end == at)
        fail("expected a number");
    else
        at = end;
    return value;
}

static double power(void)
{
    double base = atom();
    return accept('^') ? pow(base, power()) : base;
}

static double product(void)
{
    double value = power();
    for (;;) {
        if (accept('*'))
            value *= power();
        else if (accept('/'))
            value /= power();
        else
            return value;
    }
}

static double sum(void)
{
    double value = product();
    for (;;) {
        if (accept('+'))
            value += product();
        else if (accept('-'))
            value -= product();
        else
            return value;
    }
}

int main(void)
{
    char text[1024];
    int failures = 0;
    while (fgets(text, sizeof text, stdin)) {
        text[strcspn(text, "\n")] = 0;
        line = at = text;
        error = NULL;
        double value = sum();
        accept(' ');
        if (!error && *at)
            fail("unexpected character");
        if (error) {
            printf("error in column %d: %s\n", (int)(at - line) + 1, error);
            failures++;
        } else {
            printf("%s = %.12g\n", text, value);
        }
    }
    return failures > 0 ? 3 : 0;
}
