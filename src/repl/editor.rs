//! The line editor: several lines where an entry is not whole, history, colours, completion of names.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::{OnceLock, PoisonError};

use nu_ansi_term::{Color, Style};
use pinfold::question::Candidate;
use pinfold_compiler::lexer::{KEYWORDS, WORDS};
use pinfold_vm::module::Escaped;
use reedline::{
    ColumnarMenu, Completer, CompletionResult, DefaultHinter, Emacs, FileBackedHistory, Highlighter, KeyCode,
    KeyModifiers, MenuBuilder, Prompt, PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus, Reedline,
    ReedlineEvent, ReedlineMenu, Signal, Span, StyledText, Suggestion, ValidationResult, Validator,
    default_emacs_keybindings,
};

use super::{Shared, completion, entry};
use crate::colour;

/// Entries that are remembered.
const HISTORY: usize = 5000;
/// The name of the menu of completions.
const MENU: &str = "completion";
/// Completions that are shown at most, and characters of what is said to each.
const MOST: usize = 200;
const WIDEST: usize = 100;

/// What was written.
pub enum Line {
    /// An entry or a command.
    Entry(String),
    /// Ctrl-C: nothing.
    Cleared,
    /// Ctrl-D.
    End,
}

/// A terminal on which entries are written.
pub struct Editor {
    reedline: Reedline,
    prompt: Authority,
}

impl Editor {
    /// An editor that knows some commands, and asks a session what else can stand where.
    ///
    /// # Errors
    /// If the terminal is none.
    pub fn new(session: Shared, commands: &'static [(&'static str, &'static str)]) -> io::Result<Self> {
        remember();
        let mut keys = default_emacs_keybindings();
        let complete = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.into()), ReedlineEvent::MenuNext]);
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, complete);
        let menu = ReedlineMenu::EngineCompleter(Box::new(ColumnarMenu::default().with_name(MENU)));
        let mut reedline = Reedline::create()
            .with_validator(Box::new(Whole))
            .with_completer(Box::new(Names { session, commands }))
            .with_menu(menu)
            .with_ansi_colors(colour::wanted())
            .use_bracketed_paste(true)
            .with_edit_mode(Box::new(Emacs::new(keys)));
        if colour::wanted() {
            let hint = DefaultHinter::default().with_style(Style::new().dimmed());
            reedline = reedline.with_highlighter(Box::new(Colours)).with_hinter(Box::new(hint));
        }
        if let Some(path) = history() {
            // Without a place for it there is none.
            if let Ok(history) = FileBackedHistory::with_file(HISTORY, path) {
                reedline = reedline.with_history(Box::new(history));
            }
        }
        Ok(Self { reedline, prompt: Authority("fold".to_owned()) })
    }

    /// What the prompt shows from now on: what is entered, and which authority the session holds.
    pub fn shows(&mut self, what: &str, authority: &[String]) {
        let held = if authority.is_empty() { String::new() } else { format!(" [{}]", authority.join(" ")) };
        self.prompt = Authority(format!("{what}{held}"));
    }

    /// The next line, or lines.
    ///
    /// # Errors
    /// If the terminal is gone.
    pub fn read(&mut self) -> io::Result<Line> {
        Ok(match self.reedline.read_line(&self.prompt)? {
            Signal::Success(text) => Line::Entry(text),
            Signal::CtrlC => Line::Cleared,
            _ => Line::End,
        })
    }
}

/// How the terminal was before anything was written on it.
static BEFORE: OnceLock<libc::termios> = OnceLock::new();

fn remember() {
    // SAFETY: all-zero is a valid value.
    let mut settings: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: a valid place for the answer.
    if unsafe { libc::tcgetattr(0, &mut settings) } == 0 {
        let _ = BEFORE.set(settings);
    }
}

/// Gives the terminal back as it was.
pub fn restore() {
    if let Some(settings) = BEFORE.get() {
        // SAFETY: settings that the terminal had. One that is gone needs none.
        unsafe { libc::tcsetattr(0, libc::TCSANOW, settings) };
    }
}

/// Where the history is kept.
fn history() -> Option<PathBuf> {
    let dir = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = dir("XDG_STATE_HOME").or_else(|| dir("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("pinfold/history"))
}

/// The prompt.
struct Authority(String);

impl Prompt for Authority {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("> ")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("  | ")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        let what = match search.status {
            PromptHistorySearchStatus::Passing => "search",
            PromptHistorySearchStatus::Failing => "nothing found",
        };
        Cow::Owned(format!("({what}: {}) ", search.term))
    }
}

/// Whether an entry is whole.
struct Whole;

impl Validator for Whole {
    fn validate(&self, text: &str) -> ValidationResult {
        let is_command = text.trim_start().starts_with(':');
        if !is_command && entry::is_open(text) { ValidationResult::Incomplete } else { ValidationResult::Complete }
    }
}

/// Commands, and what a session says can stand at a place.
struct Names {
    session: Shared,
    commands: &'static [(&'static str, &'static str)],
}

impl Completer for Names {
    fn complete(&mut self, line: &str, at: usize) -> CompletionResult {
        let before = line.get(..at).unwrap_or(line);
        // What comes after a command is what could be an entry.
        let entry = if before.starts_with(':') { before.find(' ').map(|space| space + 1) } else { Some(0) };
        let Some(entry) = entry else {
            let commands = self.commands.iter().filter_map(|(command, what)| Some((command.split(' ').next()?, *what)));
            let fitting = commands.filter(|(command, _)| command.starts_with(before));
            let made = fitting.map(|(command, what)| suggestion(command, Some(what.to_owned()), 0, at));
            return CompletionResult::fresh(made.collect::<Vec<_>>());
        };
        let (start, request) = completion(&before[entry..]);
        let (start, mut session) = (start + entry, self.session.lock().unwrap_or_else(PoisonError::into_inner));
        // A session that is gone is told of when the entry is entered.
        let found = session.ask(&request).ok().flatten().map(|replied| replied.reply.candidates).unwrap_or_default();
        CompletionResult::fresh(fitting(found, &before[start..], start, at))
    }
}

/// What fits to the beginning of a word. A worker tells it: what is no name is not shown.
fn fitting(found: Vec<Candidate>, word: &str, start: usize, at: usize) -> Vec<Suggestion> {
    let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '/'));
    // All names there are would fill the screen.
    let is_wanted = |name: &str| name.starts_with(word) && is_name(name);
    let fitting = found.into_iter().filter(|candidate| is_wanted(&candidate.name)).take(MOST);
    let suggest = |Candidate { name, kind, ty }: Candidate| {
        let what = if ty.is_empty() { kind } else { ty };
        suggestion(&name, Some(shortened(&Escaped(&what).to_string())), start, at)
    };
    fitting.map(suggest).collect()
}

fn suggestion(value: &str, description: Option<String>, start: usize, at: usize) -> Suggestion {
    Suggestion {
        value: value.to_owned(),
        description,
        span: Span::new(start, at),
        append_whitespace: false,
        ..Suggestion::default()
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Colours of what is written.
struct Colours;

impl Highlighter for Colours {
    fn highlight(&self, line: &str, _: usize) -> StyledText {
        let mut text = StyledText::new();
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let word = |rest: &str| rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (length, style) = match first {
                '"' => (text_length(rest), Style::new().fg(Color::Green)),
                '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), Style::new().dimmed()),
                '0'..='9' => (word(rest), Style::new().fg(Color::Cyan)),
                first if first.is_alphabetic() || first == '_' => {
                    let length = word(rest);
                    let is_keyword = KEYWORDS.iter().chain(&WORDS).any(|keyword| *keyword == &rest[..length]);
                    (length, if is_keyword { Style::new().fg(Color::Blue).bold() } else { Style::new() })
                }
                first => (first.len_utf8(), Style::new()),
            };
            let (part, after) = rest.split_at(length.max(first.len_utf8()).min(rest.len()));
            text.push((style, part.to_owned()));
            rest = after;
        }
        text
    }
}

/// The length of a text with its quotes, as far as colours are concerned.
fn text_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}
