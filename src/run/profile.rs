//! `--profile`: where the program's time went, as a file that profilers read.
//!
//! The form is that of V8's `.cpuprofile`: a tree of functions, and which of its nodes was the newest at each point of time. Of all forms that
//! sampled stacks are written in it is one of the simplest, and the one that most viewers take: the Firefox Profiler, speedscope, the
//! developer tools of Chrome and its kin, and Visual Studio Code.

use std::fs::File;
use std::io;
use std::time::Duration;

use pinfold::profile::{self, Function, Profile};
use pinfold::supervisor::Profiling;
use serde::Serialize;

use crate::json;
use crate::output::Output;

/// How long between two samples.
const INTERVAL: Duration = Duration::from_millis(1);
/// Viewers that count samples, whatever time there is between them, are given one for each so many microseconds.
const STEP: u64 = INTERVAL.as_micros() as u64;
/// Of longer runs so many.
const STEPS: u64 = 1 << 20;

/// A profile that is being made.
pub struct Making {
    file: Output,
    room: File,
}

impl Making {
    /// Begins it; and what the supervisor is to know of it.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn new(file: Output) -> io::Result<(Self, Profiling)> {
        let room = profile::room()?;
        let theirs = room.try_clone()?;
        Ok((Self { file, room }, Profiling { room: theirs, interval: INTERVAL }))
    }

    /// Writes it, after the run.
    ///
    /// # Errors
    /// Why there is none.
    pub fn finish(mut self) -> Result<(), String> {
        let profile = Profile::read(&self.room).map_err(|error| error.to_string())?;
        let profile = profile.ok_or("the program did not run, or its worker was killed")?;
        let cannot = |error: io::Error| format!("it cannot be written: {error}");
        let text = json::line(&Document::new(&profile)).map_err(|error| cannot(error.into()))? + "\n";
        self.file.replace(&text).map_err(cannot)
    }
}

/// A `.cpuprofile`. Times are in microseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    nodes: Vec<Node<'a>>,
    start_time: u64,
    end_time: u64,
    /// By number: what ran from this point of time on.
    samples: Vec<usize>,
    /// How long after the one before.
    time_deltas: Vec<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Node<'a> {
    id: usize,
    call_frame: CallFrame<'a>,
    /// How many steps there were here.
    hit_count: u64,
    children: Vec<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    position_ticks: Vec<Line>,
}

/// A function, and where it begins: from 0; -1 where that is not known.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CallFrame<'a> {
    function_name: &'a str,
    script_id: &'static str,
    url: &'a str,
    line_number: i64,
    column_number: i64,
}

/// A line, from 1, and how many steps there were.
#[derive(Serialize)]
struct Line {
    line: u32,
    ticks: u64,
}

impl<'a> Document<'a> {
    /// Of a profile that is sound.
    fn new(profile: &'a Profile) -> Self {
        let step = STEP.max(profile.time().div_ceil(STEPS));
        let mut nodes: Vec<Node<'a>> = Vec::with_capacity(profile.nodes.len());
        for (at, (before, function)) in profile.nodes.iter().enumerate() {
            if at > 0
                && let Some(before) = nodes.get_mut(*before as usize)
            {
                before.children.push(at + 1);
            }
            let call_frame = CallFrame::new(profile.functions.get(*function as usize));
            nodes.push(Node { id: at + 1, call_frame, hit_count: 0, children: Vec::new(), position_ticks: Vec::new() });
        }
        for (node, line, micros) in &profile.lines {
            if let Some(node) = nodes.get_mut(*node as usize) {
                node.position_ticks.push(Line { line: *line, ticks: micros.div_ceil(step) });
            }
        }
        let (mut samples, mut time_deltas) = (Vec::new(), Vec::new());
        let mut last = 0;
        for (node, micros) in &profile.samples {
            let mut left = u64::from(*micros);
            while left > 0 {
                // The rest is not a step of its own.
                let next = if left < 2 * step { left } else { step };
                samples.push(*node as usize + 1);
                time_deltas.push(std::mem::replace(&mut last, next));
                left -= next;
                if let Some(node) = nodes.get_mut(*node as usize) {
                    node.hit_count += 1;
                }
            }
        }
        // What ran last ends here.
        samples.push(1);
        time_deltas.push(last);
        Self { nodes, start_time: 0, end_time: profile.time(), samples, time_deltas }
    }
}

impl<'a> CallFrame<'a> {
    fn new(function: Option<&'a Function>) -> Self {
        let from_0 = |from_1: u32| i64::from(from_1) - 1;
        let begins = function.and_then(|function| function.begins);
        let (line_number, column_number) = begins.map_or((-1, -1), |(line, column)| (from_0(line), from_0(column)));
        let (function_name, url) = function.map_or(("", ""), |function| (&function.name, &function.file));
        Self { function_name, script_id: "0", url, line_number, column_number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_of_time_is_a_sample_of_what_ran() {
        let function = |name: &str, begins| Function { name: name.into(), file: "a.fold".into(), begins };
        let profile = Profile {
            functions: vec![
                function("(root)", None),
                function("main", Some((3, 5))),
                function("hot\u{1b}", Some((9, 1))),
            ],
            nodes: vec![(0, 0), (0, 1), (1, 2)],
            samples: vec![(2, 3500), (1, 900), (2, 1100)],
            lines: vec![(1, 4, 900), (2, 10, 4600)],
            is_complete: true,
        };
        insta::assert_snapshot!(json::document(&Document::new(&profile)).unwrap());
    }

    #[test]
    fn a_long_run_has_longer_steps() {
        let profile = Profile {
            functions: vec![Function::default()],
            nodes: vec![(0, 0)],
            samples: vec![(0, u32::MAX); 10],
            ..Profile::default()
        };
        let document = Document::new(&profile);
        assert!(document.samples.len() as u64 <= STEPS + 11, "{}", document.samples.len());
        assert_eq!(document.time_deltas.iter().sum::<u64>(), document.end_time);
    }
}
