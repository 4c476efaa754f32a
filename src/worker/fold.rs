//! Looking at sources in Fold, and telling what was found.

use std::io::{self, BufWriter, Write};

use pinfold::answer::Answer;
use pinfold::bundle::Bundle;
use pinfold::job::{EndKind, Ending, Fold, Test};
use pinfold::{exit, fold};
use pinfold_compiler::Options;
use pinfold_vm::module::Bytes;

use crate::testing;

/// Does what is asked, and answers on standard output.
pub fn run(job: &Fold, bytes: &Bytes) -> Ending {
    answered(bytes, |bundle, out| answer(job, bundle, out).map(|()| Ending::new(EndKind::Exit, 0, None)))
}

/// Runs tests, and answers likewise.
pub fn test(job: &Test, prepared: testing::Prepared, bytes: &Bytes) -> Ending {
    answered(bytes, |bundle, out| testing::run(job, prepared, bundle, out))
}

fn answered(bytes: &Bytes, answer: impl FnOnce(&Bundle, &mut dyn Write) -> io::Result<Ending>) -> Ending {
    let Some(bundle) = Bundle::decode(bytes) else {
        return Ending::new(EndKind::NotStarted, exit::REFUSED, Some("these are no sources".into()));
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let ending = answer(&bundle, &mut out).and_then(|ending| out.flush().map(|()| ending));
    ending.unwrap_or_else(|error| Ending::new(EndKind::NotStarted, exit::REFUSED, Some(error.to_string())))
}

fn answer(job: &Fold, bundle: &Bundle, out: &mut dyn Write) -> io::Result<()> {
    let built = |(answers, module): (Vec<Answer>, Option<Vec<u8>>), out: &mut dyn Write| {
        answers.iter().try_for_each(|answer| answer.write(out))?;
        if let Some(module) = module {
            Answer::Bytes(module.len() as u64).write(out)?;
            out.write_all(&module)?;
        }
        Ok(())
    };
    let answers = match job {
        Fold::Embed(host) => return built(fold::embed(bundle, host.as_deref()), out),
        Fold::Check { authority } => fold::check(bundle, *authority),
        Fold::Build { optimise, portable } => {
            let options = Options { optimise: *optimise, portable: *portable, ..Options::default() };
            return built(fold::build(bundle, options), out);
        }
        Fold::Document => fold::document(bundle),
        Fold::Paths => fold::paths(bundle),
        Fold::Lock => text(fold::lock(bundle)),
        Fold::Format => text(fold::formatted(bundle)),
        Fold::Show(stage) => text(fold::show(bundle, *stage)),
        Fold::Test(_) => Vec::new(),
    };
    answers.iter().try_for_each(|answer| answer.write(out))
}

fn text(result: fold::Answers) -> Vec<Answer> {
    match result {
        Ok(text) => vec![Answer::Text(text)],
        Err(findings) => findings.into_iter().map(|finding| Answer::Finding(Box::new(finding))).collect(),
    }
}
