//! The line editor: several lines where an entry is not whole, history, colours, completion of names.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use nu_ansi_term::{Color, Style};
use reedline::{
    ColumnarMenu, Completer, CompletionResult, Emacs, FileBackedHistory, Highlighter, KeyCode, KeyModifiers,
    MenuBuilder, Prompt, PromptEditMode, PromptHistorySearch, PromptHistorySearchStatus, Reedline, ReedlineEvent,
    ReedlineMenu, Signal, Span, StyledText, Suggestion, ValidationResult, Validator, default_emacs_keybindings,
};

use super::{COMMANDS, entry};
use crate::colour;

/// Entries that are remembered.
const HISTORY: usize = 5000;
/// The name of the menu of completions.
const MENU: &str = "completion";

const KEYWORDS: [&str; 30] = [
    "as", "assert", "break", "const", "continue", "dyn", "else", "enum", "false", "fn", "for", "if", "impl", "import",
    "in", "is", "let", "match", "needs", "panic", "pub", "record", "return", "self", "Self", "trait", "true", "type",
    "var", "while",
];

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
    names: Arc<Mutex<Vec<String>>>,
}

impl Editor {
    /// An editor whose prompt shows what the session holds.
    ///
    /// # Errors
    /// If the terminal is none.
    pub fn new(authority: &[String]) -> io::Result<Self> {
        remember();
        let names = Arc::new(Mutex::new(Vec::new()));
        let mut keys = default_emacs_keybindings();
        let complete = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.into()), ReedlineEvent::MenuNext]);
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, complete);
        let menu = ReedlineMenu::EngineCompleter(Box::new(ColumnarMenu::default().with_name(MENU)));
        let mut reedline = Reedline::create()
            .with_validator(Box::new(Whole))
            .with_completer(Box::new(Names(names.clone())))
            .with_menu(menu)
            .with_ansi_colors(colour::wanted())
            .with_edit_mode(Box::new(Emacs::new(keys)));
        if colour::wanted() {
            reedline = reedline.with_highlighter(Box::new(Colours));
        }
        if let Some(path) = history() {
            // Without a place for it there is none.
            if let Ok(history) = FileBackedHistory::with_file(HISTORY, path) {
                reedline = reedline.with_history(Box::new(history));
            }
        }
        let prompt = if authority.is_empty() { "fold".to_owned() } else { format!("fold [{}]", authority.join(" ")) };
        Ok(Self { reedline, prompt: Authority(prompt), names })
    }

    /// Names that are completed from now on. A worker tells them: what is none is not shown.
    pub fn knows(&mut self, names: impl Iterator<Item = String>) {
        let is_name = |name: &String| name.chars().all(|c| c.is_alphanumeric() || c == '_');
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names.filter(is_name).collect();
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

/// Names of variables, words of the language, commands.
struct Names(Arc<Mutex<Vec<String>>>);

impl Completer for Names {
    fn complete(&mut self, line: &str, at: usize) -> CompletionResult {
        let before = line.get(..at).unwrap_or(line);
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        let start = before.char_indices().rev().take_while(|(_, c)| is_part(*c)).last().map_or(at, |(start, _)| start);
        let word = &before[start..];
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let commands = COMMANDS.iter().filter_map(|(command, _)| command.split(' ').next()).filter(|_| start == 0);
        let mut found: Vec<&str> = names.iter().map(String::as_str).chain(KEYWORDS).chain(commands).collect();
        found.retain(|name| !word.is_empty() && name.starts_with(word));
        found.sort_unstable();
        found.dedup();
        let suggestion = |value: &str| Suggestion {
            value: value.to_owned(),
            span: Span::new(start, at),
            append_whitespace: false,
            ..Suggestion::default()
        };
        CompletionResult::fresh(found.into_iter().map(suggestion).collect::<Vec<_>>())
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
                    let is_keyword = KEYWORDS.contains(&&rest[..length]);
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
