//! F00xx: characters and literals.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "F0001",
        title: "a character without meaning",
        explanation: "Outside of texts and comments, Fold uses letters, digits, `_` and the signs of its operators. Other characters have no \
                      meaning. Often one comes from another language (`#` for comments) or from a word processor (`“` for `\"`).",
        rejected: "fn f() -> Int {\n    1 # one\n}\n",
        accepted: "fn f() -> Int {\n    1 // one\n}\n",
    },
    Code {
        code: "F0002",
        title: "a text that is not closed",
        explanation: "A text in `\"` ends in the line in which it begins. For several lines there is `\"\"\"`, for texts without escapes `r\"…\"`.",
        rejected: "const GREETING: String = \"hello\n",
        accepted: "const GREETING: String = \"hello\"\n",
    },
    Code {
        code: "F0003",
        title: "a comment that is not closed",
        explanation: "A comment that begins with `/*` ends with `*/`. Such comments nest: each `/*` inside needs a `*/` of its own.",
        rejected: "/* outer /* inner */\nfn f() {}\n",
        accepted: "/* outer /* inner */ */\nfn f() {}\n",
    },
    Code {
        code: "F0004",
        title: "an unknown escape",
        explanation: "In texts and characters a backslash begins an escape: `\\n`, `\\t`, `\\r`, `\\0`, `\\\\`, `\\\"`, `\\'`, `\\{`, `\\}`, `\\x7F` and \
                      `\\u{1F600}`. A backslash that is meant as such is written twice; in `r\"…\"` there are no escapes.",
        rejected: "const PATTERN: String = \"\\d+\"\n",
        accepted: "const PATTERN: String = r\"\\d+\"\n",
    },
    Code {
        code: "F0005",
        title: "a malformed character code",
        explanation: "`\\u` is followed by one to six hexadecimal digits in braces, the number of a Unicode character; `\\x` by exactly two \
                      digits, in texts and characters up to `\\x7F`.",
        rejected: "const SMILE: Char = '\\u1F600'\n",
        accepted: "const SMILE: Char = '\\u{1F600}'\n",
    },
    Code {
        code: "F0006",
        title: "a character literal that is not one character",
        explanation: "Between `'` and `'` stands one character or one escape. Texts stand between double quotes, however short they are.",
        rejected: "const NAME: String = 'Ada'\n",
        accepted: "const NAME: String = \"Ada\"\n",
    },
    Code {
        code: "F0007",
        title: "a malformed number",
        explanation: "Numbers are written as `1_000`, `0xff`, `0o17`, `0b101`, `1.5` or `1e-3`. Between digits there may be single `_`. Nothing \
                      that looks like a name may follow directly.",
        rejected: "const MASK: Int = 0b102\n",
        accepted: "const MASK: Int = 0b101\n",
    },
    Code {
        code: "F0008",
        title: "a number that is too large",
        explanation: "An `Int` has 64 bits: it goes from -9223372036854775808 to 9223372036854775807. A number of base 2, 8 or 16 is taken as \
                      the 64 bits that it writes, so `0xffff_ffff_ffff_ffff` is -1.",
        rejected: "const BIG: Int = 9223372036854775808\n",
        accepted: "const BIG: Int = 9223372036854775807\n",
    },
    Code {
        code: "F0009",
        title: "an interpolation that is not closed",
        explanation: "A `{` in a text begins a value, which goes up to the `}` that belongs to it, in a text of one line in the same line. A brace \
                      that is meant as text is written `{{` or `\\{`.",
        rejected: "const SET: String = \"{1, 2\"\n",
        accepted: "const SET: String = \"{{1, 2\"\n",
    },
    Code {
        code: "F0010",
        title: "a closing brace in a text",
        explanation: "A `}` in a text ends a value that `{` began. One that is meant as text is written `}}` or `\\}`.",
        rejected: "const CLOSE: String = \"}\"\n",
        accepted: "const CLOSE: String = \"}}\"\n",
    },
    Code {
        code: "F0011",
        title: "a malformed format",
        explanation: "After a value in a text, `:` begins a format: `[[fill]<|>|^][+][#][0][width][.precision][b|o|x|X|e|?]`. For example, \
                      `{n:>8}` puts a value to the right of 8 columns, `{n:08.2}` writes zeros before it and two digits after the point, and \
                      `{n:#x}` is base 16 with its prefix.",
        rejected: "fn f(n: Int) -> String {\n    \"{n:wide}\"\n}\n",
        accepted: "fn f(n: Int) -> String {\n    \"{n:>8}\"\n}\n",
    },
    Code {
        code: "F0012",
        title: "an invisible character that changes the direction of text",
        explanation: "Such characters make a source look like another one than the compiler reads. They are allowed nowhere, also not in texts \
                      and comments; a text that needs one has an escape, as `\\u{202E}`.",
        rejected: "const NAME: String = \"a\u{202e}b\"\n",
        accepted: "const NAME: String = \"a\\u{202E}b\"\n",
    },
    Code {
        code: "F0013",
        title: "a control character in the source",
        explanation: "Of the control characters, tabs and ends of lines are allowed in a source. A text that needs another has an escape, as \
                      `\\0` or `\\u{1B}`.",
        rejected: "const RED: String = \"\u{1b}[31m\"\n",
        accepted: "const RED: String = \"\\u{1B}[31m\"\n",
    },
    Code {
        code: "F0014",
        title: "a character in bytes that is more than one byte",
        explanation: "Between `b\"` and `\"` each character is one byte. Others are written as the bytes that are meant: `\\xC3\\xA9`. The bytes of \
                      a text are `\"é\".bytes()`.",
        rejected: "fn f() -> Bytes {\n    b\"é\"\n}\n",
        accepted: "fn f() -> Bytes {\n    b\"\\xC3\\xA9\"\n}\n",
    },
    Code {
        code: "F0015",
        title: "an interpolation without a value",
        explanation: "Between `{` and `}` in a text stands the value that is put there. Braces that are meant as text are written `{{}}`.",
        rejected: "fn f(name: String) -> String {\n    \"hello {}\"\n}\n",
        accepted: "fn f(name: String) -> String {\n    \"hello {name}\"\n}\n",
    },
];
