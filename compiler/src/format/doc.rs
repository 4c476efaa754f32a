//! Text with places where lines can be broken, and how it is laid out.
//!
//! The algebra is Wadler's: a group is written in one line if it fits, or else all lines of its own (not those of groups in it) are broken.
//! Besides there are two forms with more than these two layouts: [`Doc::List`] and [`Doc::Chain`].

use std::borrow::Cow;

/// The most columns of a line where there is a choice.
pub(super) const WIDTH: usize = 100;
/// Columns of a level.
const INDENT: usize = 4;

/// A text with choices.
#[derive(Debug)]
pub(super) enum Doc<'a> {
    /// As it is; may hold ends of lines (in long texts and comments).
    Text(Cow<'a, str>),
    /// An end of line, or a space.
    Line,
    /// An end of line, or nothing.
    Soft,
    /// An end of line.
    Hard,
    /// An end of line and an empty line.
    Blank,
    /// A text that is there where lines are broken.
    IfBroken(&'static str),
    /// A text where lines are not broken, and another where they are.
    IfFlat(&'static str, &'static str),
    /// Nothing, but the lines around it are broken.
    Break,
    /// A text at the end of the line that this is in.
    Suffix(Cow<'a, str>),
    /// One after the other.
    Concat(Vec<Doc<'a>>),
    /// A level further in.
    Indent(Box<Doc<'a>>),
    /// In one line, or with all its lines broken; whether it must be.
    Group(Box<Doc<'a>>, bool),
    /// As many in each line as fit, with commas.
    Fill(Vec<Doc<'a>>),
    /// Elements in brackets.
    List(List<'a>),
    /// A receiver and calls of methods.
    Chain(Chain<'a>),
}

/// Elements in brackets: in one line; or all in one line but the inside of the last one; or each in a line of its own.
#[derive(Debug)]
pub(super) struct List<'a> {
    pub open: &'static str,
    pub elements: Vec<Doc<'a>>,
    pub close: &'static str,
    /// What is before the closing bracket: comments.
    pub end: Box<Doc<'a>>,
    /// Whether the second layout is for it.
    pub hug: bool,
    /// Whether a comma may be after the last element.
    pub comma: bool,
    /// Whether it cannot be in one line.
    pub breaks: bool,
}

/// A receiver and calls: in one line; or in one line but the inside of the last call; or each call in a line of its own.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    pub head: Box<Doc<'a>>,
    pub links: Vec<Doc<'a>>,
    /// Whether the second layout is for it.
    pub hug: bool,
    pub breaks: bool,
}

impl<'a> Doc<'a> {
    pub(super) const NIL: Doc<'static> = Doc::Text(Cow::Borrowed(""));

    pub(super) const BREAK: Doc<'static> = Doc::Break;

    pub(super) fn list(list: List<'a>) -> Self {
        let breaks = list.elements.iter().any(Doc::breaks) || list.end.breaks();
        Doc::List(List { breaks, ..list })
    }

    pub(super) fn text(text: &'a str) -> Self {
        Doc::Text(Cow::Borrowed(text))
    }

    pub(super) fn concat(parts: impl IntoIterator<Item = Doc<'a>>) -> Self {
        Doc::Concat(parts.into_iter().collect())
    }

    pub(super) fn group(self) -> Self {
        let breaks = self.breaks();
        Doc::Group(Box::new(self), breaks)
    }

    pub(super) fn indent(self) -> Self {
        Doc::Indent(Box::new(self))
    }

    /// Whether there is an end of line in it in any case.
    pub(super) fn breaks(&self) -> bool {
        match self {
            Doc::Hard | Doc::Blank | Doc::Break | Doc::Suffix(_) => true,
            Doc::Text(_) | Doc::Line | Doc::Soft | Doc::IfBroken(_) | Doc::IfFlat(..) => false,
            Doc::Concat(parts) | Doc::Fill(parts) => parts.iter().any(Doc::breaks),
            Doc::Indent(inner) => inner.breaks(),
            Doc::Group(_, breaks) => *breaks,
            Doc::List(list) => list.breaks,
            Doc::Chain(chain) => chain.breaks,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Doc::Text(text) => text.is_empty(),
            Doc::Concat(parts) => parts.iter().all(Doc::is_empty),
            _ => false,
        }
    }

    /// Lays it out.
    pub(super) fn layout(&self) -> String {
        let mut printer =
            Printer { out: String::new(), column: 0, suffixes: Vec::new(), stack: vec![(0, Mode::Broken, self)] };
        printer.run();
        printer.out
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flat,
    Broken,
}

const COMMA: &Doc<'static> = &Doc::Text(Cow::Borrowed(","));
const COMMA_SPACE: &Doc<'static> = &Doc::Text(Cow::Borrowed(", "));
const SOFT: &Doc<'static> = &Doc::Soft;
const LINE: &Doc<'static> = &Doc::Line;

/// What is to be written: how far in, how, and what.
type Command<'d> = (usize, Mode, &'d Doc<'d>);

struct Printer<'d> {
    out: String,
    column: usize,
    suffixes: Vec<&'d str>,
    stack: Vec<Command<'d>>,
}

impl<'d> Printer<'d> {
    fn run(&mut self) {
        while let Some((indent, mode, doc)) = self.stack.pop() {
            self.step(indent, mode, doc);
        }
        self.flush(0);
    }

    fn step(&mut self, indent: usize, mode: Mode, doc: &'d Doc<'d>) {
        match doc {
            Doc::Text(text) => self.write(text),
            Doc::Line | Doc::Soft if mode == Mode::Broken => self.newline(indent, 1),
            Doc::Line => self.write(" "),
            Doc::Soft => {}
            Doc::Hard => self.newline(indent, 1),
            Doc::Blank => self.newline(indent, 2),
            Doc::IfBroken(text) => {
                if mode == Mode::Broken {
                    self.write(text);
                }
            }
            Doc::IfFlat(flat, broken) => self.write(if mode == Mode::Flat { flat } else { broken }),
            Doc::Break => {}
            Doc::Suffix(text) => self.suffixes.push(text),
            Doc::Concat(parts) => self.stack.extend(parts.iter().rev().map(|part| (indent, mode, part))),
            Doc::Indent(inner) => self.stack.push((indent + INDENT, mode, inner)),
            Doc::Group(inner, breaks) => {
                let flat = mode == Mode::Flat || (!breaks && self.fits(&[(indent, Mode::Flat, inner)], false));
                self.stack.push((indent, if flat { Mode::Flat } else { Mode::Broken }, inner));
            }
            Doc::Fill(parts) => self.fill(indent, mode, parts),
            Doc::List(list) => self.list(indent, mode, doc, list),
            Doc::Chain(chain) => self.chain(indent, mode, doc, chain),
        }
    }

    fn write(&mut self, text: &str) {
        self.out.push_str(text);
        match text.rfind('\n') {
            Some(end) => self.column = text[end + 1..].chars().count(),
            None => self.column += text.chars().count(),
        }
    }

    /// Writes what belongs to the end of the line. A comment after one that goes to the end of its line gets another line.
    fn flush(&mut self, indent: usize) {
        let mut ended = false;
        for suffix in std::mem::take(&mut self.suffixes) {
            if ended {
                self.out.push('\n');
                self.out.extend(std::iter::repeat_n(' ', indent));
                self.out.push_str(suffix.trim_start());
            } else {
                self.out.push_str(suffix);
            }
            ended = suffix.trim_start().starts_with("//");
        }
    }

    fn newline(&mut self, indent: usize, count: usize) {
        self.flush(indent);
        let end = self.out.trim_end_matches(' ').len();
        self.out.truncate(end);
        self.out.extend(std::iter::repeat_n('\n', count));
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    fn fill(&mut self, indent: usize, mode: Mode, parts: &'d [Doc<'d>]) {
        let Some((first, rest)) = parts.split_first() else { return };
        if mode == Mode::Flat {
            self.stack.extend(rest.iter().rev().flat_map(|part| [(indent, mode, part), (indent, mode, COMMA_SPACE)]));
            return self.stack.push((indent, mode, first));
        }
        // All parts are short and without choices.
        self.step_all(indent, first);
        for part in rest {
            self.write(",");
            let fits =
                !part.breaks() && self.fits(&[(indent, Mode::Flat, part), (indent, Mode::Flat, COMMA_SPACE)], true);
            match fits {
                true => self.write(" "),
                false => self.newline(indent, 1),
            }
            self.step_all(indent, part);
        }
        self.write(",");
    }

    /// Writes something completely.
    fn step_all(&mut self, indent: usize, doc: &'d Doc<'d>) {
        let rest = std::mem::take(&mut self.stack);
        self.stack.push((indent, Mode::Broken, doc));
        while let Some((indent, mode, doc)) = self.stack.pop() {
            self.step(indent, mode, doc);
        }
        self.stack = rest;
    }

    fn list(&mut self, indent: usize, mode: Mode, doc: &'d Doc<'d>, list: &'d List<'d>) {
        if mode == Mode::Flat || (!list.breaks && self.fits(&[(indent, Mode::Flat, doc)], false)) {
            return self.flat_list(indent, list, Mode::Flat);
        }
        let hug = list.hug
            && list.end.is_empty()
            && list.elements.split_last().is_some_and(|(_, others)| !others.iter().any(Doc::breaks));
        if hug && self.fits(&[(indent, Mode::Broken, doc)], true) {
            return self.flat_list(indent, list, Mode::Broken);
        }
        self.write(list.open);
        let inner = indent + INDENT;
        let mut commands: Vec<Command<'d>> = vec![(inner, Mode::Broken, SOFT)];
        for (index, element) in list.elements.iter().enumerate() {
            commands.push((inner, Mode::Broken, element));
            if index + 1 < list.elements.len() {
                commands.extend([(inner, Mode::Broken, COMMA), (inner, Mode::Broken, LINE)]);
            } else if list.comma {
                commands.push((inner, Mode::Broken, COMMA));
            }
        }
        commands.push((inner, Mode::Broken, &list.end));
        commands.push((indent, Mode::Broken, SOFT));
        self.stack.push((indent, Mode::Flat, close(list.close.trim_start())));
        self.stack.extend(commands.into_iter().rev());
    }

    /// All elements in a line; the last one may have ends of lines in it.
    fn flat_list(&mut self, indent: usize, list: &'d List<'d>, last: Mode) {
        self.write(list.open);
        self.stack.push((indent, Mode::Flat, close(list.close)));
        for (index, element) in list.elements.iter().enumerate().rev() {
            let mode = if index + 1 == list.elements.len() { last } else { Mode::Flat };
            self.stack.push((indent, mode, element));
            if index > 0 {
                self.stack.push((indent, Mode::Flat, COMMA_SPACE));
            }
        }
    }

    fn chain(&mut self, indent: usize, mode: Mode, doc: &'d Doc<'d>, chain: &'d Chain<'d>) {
        let flat = mode == Mode::Flat || (!chain.breaks && self.fits(&[(indent, Mode::Flat, doc)], false));
        let one_line = |p: &Self| {
            let quiet = |links: &[Doc<'_>]| !links.iter().any(Doc::breaks);
            chain.hug
                && !chain.head.breaks()
                && chain.links.split_last().is_some_and(|(_, others)| quiet(others))
                && p.fits(&[(indent, Mode::Broken, doc)], true)
        };
        if flat || one_line(self) {
            let last = if flat { Mode::Flat } else { Mode::Broken };
            for (index, link) in chain.links.iter().enumerate().rev() {
                let mode = if index + 1 == chain.links.len() { last } else { Mode::Flat };
                self.stack.push((indent, mode, link));
            }
            return self.stack.push((indent, if flat { Mode::Flat } else { Mode::Broken }, &chain.head));
        }
        let inner = indent + INDENT;
        for link in chain.links.iter().rev() {
            self.stack.push((inner, Mode::Broken, link));
            self.stack.push((inner, Mode::Broken, SOFT));
        }
        self.stack.push((indent, Mode::Broken, &chain.head));
    }

    /// Whether this and what follows it fit in the line, up to the first end of line that there will be. With `first`, lines of
    /// what is in `commands` count as broken as soon as they are in no group that is written flat.
    fn fits(&self, commands: &[Command<'d>], first: bool) -> bool {
        let mut room = WIDTH.saturating_sub(self.column) as isize;
        let mut stack: Vec<Command<'d>> = commands.iter().rev().copied().collect();
        let mut rest = self.stack.iter().rev();
        let mut first = first;
        loop {
            let (indent, mode, doc) = match stack.pop() {
                Some(command) => command,
                // What follows may be broken wherever it can be.
                None => match rest.next() {
                    Some(&command) => {
                        first = true;
                        command
                    }
                    None => return true,
                },
            };
            match doc {
                Doc::Text(text) => match text.find('\n') {
                    Some(end) => return room >= text[..end].chars().count() as isize,
                    None => room -= text.chars().count() as isize,
                },
                Doc::Line | Doc::Soft if mode == Mode::Broken => return true,
                Doc::Line => room -= 1,
                Doc::Soft | Doc::Suffix(_) | Doc::Break => {}
                Doc::IfFlat(flat, broken) => {
                    room -= if mode == Mode::Flat { flat.len() } else { broken.len() } as isize
                }
                Doc::Hard | Doc::Blank => return true,
                Doc::IfBroken(text) => room -= if mode == Mode::Broken { text.len() as isize } else { 0 },
                Doc::Concat(parts) => stack.extend(parts.iter().rev().map(|part| (indent, mode, part))),
                Doc::Indent(inner) => stack.push((indent, mode, inner)),
                Doc::Group(inner, breaks) => {
                    let broken = mode == Mode::Broken && (*breaks || first);
                    stack.push((indent, if broken { Mode::Broken } else { Mode::Flat }, inner));
                }
                Doc::Fill(parts) => {
                    let spaced = parts
                        .iter()
                        .rev()
                        .flat_map(|part| [(indent, Mode::Flat, part), (indent, Mode::Flat, COMMA_SPACE)]);
                    stack.extend(spaced);
                }
                Doc::List(list) => {
                    room -= list.open.len() as isize;
                    let broken = mode == Mode::Broken && (list.breaks || first);
                    if broken && !list.hug {
                        return room >= 0;
                    }
                    stack.push((indent, Mode::Flat, close(list.close)));
                    for (index, element) in list.elements.iter().enumerate().rev() {
                        let last = index + 1 == list.elements.len();
                        stack.push((indent, if last && broken { Mode::Broken } else { Mode::Flat }, element));
                        if index > 0 {
                            stack.push((indent, Mode::Flat, COMMA_SPACE));
                        }
                    }
                }
                Doc::Chain(chain) => {
                    let broken = mode == Mode::Broken && (chain.breaks || first);
                    for (index, link) in chain.links.iter().enumerate().rev() {
                        let last = index + 1 == chain.links.len();
                        stack.push((indent, if last && broken { Mode::Broken } else { Mode::Flat }, link));
                    }
                    stack.push((indent, Mode::Flat, &chain.head));
                }
            }
            if room < 0 {
                return false;
            }
        }
    }
}

/// A closing bracket.
fn close(bracket: &str) -> &'static Doc<'static> {
    const SPACE_BRACE: &Doc<'static> = &Doc::Text(Cow::Borrowed(" }"));
    const PAREN: &Doc<'static> = &Doc::Text(Cow::Borrowed(")"));
    const SQUARE: &Doc<'static> = &Doc::Text(Cow::Borrowed("]"));
    const BRACE: &Doc<'static> = &Doc::Text(Cow::Borrowed("}"));
    match bracket {
        ")" => PAREN,
        "]" => SQUARE,
        " }" => SPACE_BRACE,
        _ => BRACE,
    }
}
