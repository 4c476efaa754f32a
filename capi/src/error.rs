//! Errors.

use std::ffi::{CString, c_char};

use pinfold::wasm;

use crate::entry::{delete, handle, quiet, text};
use crate::limits::Usage;

/// What went wrong.
///
/// A function that can fail returns one of these, or NULL if it did not. Whoever gets one deletes it.
pub struct Error {
    code: CString,
    message: CString,
    stack: CString,
    findings: CString,
    usage: Option<Usage>,
}

/// A text as C has it, which ends at the first zero byte.
fn c_text(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}

fn lines(lines: impl IntoIterator<Item = String>) -> CString {
    c_text(&lines.into_iter().collect::<Vec<_>>().join("\n"))
}

impl Error {
    pub(crate) fn new(code: &str, message: &str) -> Self {
        Self {
            code: c_text(code),
            message: c_text(message),
            stack: CString::default(),
            findings: c"[]".into(),
            usage: None,
        }
    }

    pub(crate) fn message(&self) -> String {
        self.message.to_string_lossy().into_owned()
    }
}

impl From<pinfold::Error> for Error {
    fn from(error: pinfold::Error) -> Self {
        let findings = serde_json::to_string(error.findings()).unwrap_or_else(|_| "[]".into());
        Self {
            stack: lines(error.stack().iter().map(ToString::to_string)),
            findings: c_text(&findings),
            usage: error.usage().map(Usage::from),
            ..Self::new(error.code(), &error.to_string())
        }
    }
}

impl From<wasm::Error> for Error {
    fn from(error: wasm::Error) -> Self {
        let message = error.to_string();
        let trap = match error {
            wasm::Error::Trap(trap) => trap,
            wasm::Error::Verify(_) | wasm::Error::Compile(_) => return Self::new("module", &message),
            wasm::Error::Link(_) => return Self::new("link", &message),
            wasm::Error::Instantiate(_) => return Self::new("instantiate", &message),
            wasm::Error::Stale(_) => return Self::new("stale", &message),
            wasm::Error::Type(_) => return Self::new("type", &message),
            wasm::Error::NoExport { .. } => return Self::new("no_export", &message),
            wasm::Error::Bounds(_) => return Self::new("bounds", &message),
            _ => return Self::new("machine", &message),
        };
        let kind = serde_json::to_value(trap.kind).ok();
        let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or("other");
        let frame = |frame: &wasm::Frame| {
            let name = frame.name.clone().unwrap_or_else(|| format!("function {}", frame.func));
            format!("{name} at {:#x}", frame.offset)
        };
        Self { stack: lines(trap.frames.iter().map(frame)), ..Self::new(&format!("trap.{kind}"), &message) }
    }
}

/// An error of the host's own, for callbacks to return.
///
/// `message` is UTF-8. NULL for it, or no UTF-8, is an error without a message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_error_new(message: *const c_char) -> *mut Error {
    // SAFETY: the caller gives a text.
    quiet(std::ptr::null_mut(), || handle(Error::new("host", unsafe { text(message, "message") }.unwrap_or_default())))
}

/// What it is, in a word that does not change: `argument` for a call of this interface that is wrong (NULL, no UTF-8, a value of the wrong
/// kind, a handle that is in use), `panic` for a mistake of the library's. Of the layer for Fold those of the crate: `not_granted`,
/// `limit.fuel`, `panicked`, `type`, `worker`, `host` …, of a source that is wrong the code of the first finding, as `F0301`. Of the
/// layer for WebAssembly `module`, `link`, `type` …, and `trap.` with the trap: `trap.unreachable`, `trap.out_of_fuel` …
///
/// Valid as long as the error; NULL if that is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_error_code(error: *const Error) -> *const c_char {
    // SAFETY: the caller gives an error or null.
    unsafe { error.as_ref() }.map_or(std::ptr::null(), |error| error.code.as_ptr())
}

/// What it is, for people; of a source that is wrong all that is, with places.
///
/// Valid as long as the error; NULL if that is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_error_message(error: *const Error) -> *const c_char {
    // SAFETY: the caller gives an error or null.
    unsafe { error.as_ref() }.map_or(std::ptr::null(), |error| error.message.as_ptr())
}

/// Where the program was when it was ended: a line for each function, the newest first. Empty where that is not known.
///
/// Valid as long as the error; NULL if that is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_error_stack(error: *const Error) -> *const c_char {
    // SAFETY: the caller gives an error or null.
    unsafe { error.as_ref() }.map_or(std::ptr::null(), |error| error.stack.as_ptr())
}

/// What is wrong with a source, as JSON: an array of objects with `code`, `severity`, `message`, `spans` (`file`, `line`, `column` …),
/// `notes`, `help`, `edits`, `text`. `[]` for other errors.
///
/// Valid as long as the error; NULL if that is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_error_findings(error: *const Error) -> *const c_char {
    // SAFETY: the caller gives an error or null.
    unsafe { error.as_ref() }.map_or(std::ptr::null(), |error| error.findings.as_ptr())
}

/// What the program used until it was ended. Whether that is known; `usage` is written only then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_error_usage(error: *const Error, usage: *mut Usage) -> bool {
    // SAFETY: the caller gives an error or null, and room or null.
    let (error, usage) = unsafe { (error.as_ref(), usage.as_mut()) };
    let known = error.and_then(|error| error.usage).zip(usage);
    known.map(|(known, usage)| *usage = known).is_some()
}

/// Frees an error; NULL is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pinfold_error_delete(error: *mut Error) {
    // SAFETY: the caller does not use it again.
    unsafe { delete(error) }
}
