//! `pinfold doc`: the documentation of Fold modules as one page of HTML, without scripts and without anything from elsewhere.

use std::fmt::Write;
use std::path::PathBuf;

use pinfold::answer::{Answer, ModuleAuthority};
use pinfold::document::{Entry, Module};
use pinfold::exit;
use pinfold::job::Fold;

use crate::ask::{self, Findings, MessageFormat};
use crate::check::gets;
use crate::output;

/// Write the documentation of Fold modules as a page of HTML.
///
/// It shows what they say of themselves, and which capabilities each function can
/// be given.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, of folders all files below them [default: this package].
    pub files: Vec<PathBuf>,

    /// The page's file.
    #[arg(long, short, value_name = "FILE", default_value = "doc.html")]
    pub output: PathBuf,
}

const STYLE: &str = "body{max-width:48rem;margin:2rem auto;padding:0 1rem;font:16px/1.5 sans-serif}\
pre,code{font-family:monospace;background:#8881}pre{padding:.5rem;overflow-x:auto}\
section section{margin-left:1.5rem}h3,h4{font:bold 1rem monospace;white-space:pre-wrap;margin-bottom:0}";

/// Runs the command.
///
/// # Errors
/// If files cannot be read or written, or no worker can be had.
pub fn run(args: &Args) -> Result<u8, String> {
    let mut findings = Findings::new(MessageFormat::Text);
    let mut pages: Vec<(Module, Option<ModuleAuthority>)> = Vec::new();
    for file in ask::files(&args.files)? {
        let told = ask::ask(Fold::Document, &ask::sources(&file)?, ask::TIMEOUT)?;
        if !told.is_whole() {
            return Ok(told.explain(ask::TIMEOUT));
        }
        let (mut module, mut reaches) = (None, Vec::new());
        for answer in told.answers {
            match answer {
                Answer::Finding(finding) => findings.print(&finding),
                Answer::Module(documented) => module = Some(*documented),
                Answer::Authority(modules) => reaches = modules,
                _ => {}
            }
        }
        if let Some(module) = module {
            let reach = reaches.into_iter().find(|reach| reach.module == module.path);
            pages.push((module, reach));
        }
    }
    findings.finish();
    if findings.has_errors() {
        return Ok(exit::FAILURE);
    }
    output::write_whole(&args.output, page(&pages).as_bytes())?;
    Ok(exit::SUCCESS)
}

fn page(modules: &[(Module, Option<ModuleAuthority>)]) -> String {
    let mut out = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    // Whatever the words of a module are, nothing in the page is run or fetched.
    out += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n";
    let _ = writeln!(out, "<title>Documentation</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<nav>\n<ul>");
    for (number, (module, _)) in modules.iter().enumerate() {
        let _ = writeln!(out, "<li><a href=\"#m{number}\">{}</a></li>", Text(&module.path));
    }
    out += "</ul>\n</nav>\n";
    for (number, (module, reach)) in modules.iter().enumerate() {
        let _ = writeln!(out, "<section id=\"m{number}\">\n<h2>{}</h2>", Text(&module.path));
        prose(&mut out, &module.doc);
        authority(&mut out, reach.as_ref());
        module.entries.iter().for_each(|entry| self::entry(&mut out, entry, 3));
        out += "</section>\n";
    }
    out + "</body>\n</html>\n"
}

/// What a module's functions can be given, as a list.
fn authority(out: &mut String, reach: Option<&ModuleAuthority>) {
    let Some(reach) = reach else { return };
    if reach.functions.is_empty() {
        *out += "<p><strong>Authority:</strong> it can be given nothing.</p>\n";
        return;
    }
    *out += "<p><strong>Authority:</strong> what its functions can be given</p>\n<ul>\n";
    for function in &reach.functions {
        let _ = writeln!(out, "<li><code>{}</code>: {}</li>", Text(&function.name), Text(&gets(function).join(", ")));
    }
    *out += "</ul>\n";
}

fn entry(out: &mut String, entry: &Entry, level: u8) {
    let _ = writeln!(out, "<section>\n<h{level}>{}</h{level}>", Text(&entry.signature));
    prose(out, &entry.doc);
    entry.members.iter().for_each(|member| self::entry(out, member, 4));
    *out += "</section>\n";
}

/// Documentation: paragraphs, blocks between fences, words between backticks.
fn prose(out: &mut String, doc: &str) {
    let (mut paragraph, mut is_code) = (String::new(), false);
    for line in doc.lines() {
        match line.trim().strip_prefix("```") {
            Some(_) => {
                close(out, &mut paragraph);
                *out += if is_code { "</pre>\n" } else { "<pre>" };
                is_code = !is_code;
            }
            None if is_code => {
                let _ = writeln!(out, "{}", Text(line));
            }
            None if line.trim().is_empty() => close(out, &mut paragraph),
            None => {
                paragraph.push_str(line);
                paragraph.push('\n');
            }
        }
    }
    if is_code {
        *out += "</pre>\n";
    }
    close(out, &mut paragraph);
}

fn close(out: &mut String, paragraph: &mut String) {
    if !paragraph.is_empty() {
        *out += "<p>";
        for (number, part) in paragraph.trim_end().split('`').enumerate() {
            let _ = if number % 2 == 1 {
                write!(out, "<code>{}</code>", Text(part))
            } else {
                write!(out, "{}", Text(part))
            };
        }
        *out += "</p>\n";
        paragraph.clear();
    }
}

/// A text in HTML: nothing in it is a tag, hides, or changes direction.
struct Text<'a>(&'a str);

impl std::fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' | '\\' | '\n' => f.write_char(c),
            _ => write!(f, "{}", c.escape_debug()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_module_are_text_and_nothing_else() {
        let entry = Entry {
            signature: "fn f<T>(a: \"<script>\")".into(),
            doc: "a `b<c>` & d\n\n```\nlet x = 1 < 2\n".into(),
            members: Vec::new(),
        };
        let module = Module { path: "m\u{202e}</title>".into(), doc: String::new(), entries: vec![entry] };
        let page = page(&[(module, None)]);
        assert!(page.contains("<h3>fn f&lt;T&gt;(a: &quot;&lt;script&gt;&quot;)</h3>"), "{page}");
        assert!(page.contains("<p>a <code>b&lt;c&gt;</code> &amp; d</p>\n<pre>let x = 1 &lt; 2\n</pre>"), "{page}");
        assert!(page.contains("m\\u{202e}&lt;/title&gt;") && !page.contains("<script"), "{page}");
    }
}
