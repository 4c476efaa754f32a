//! A session that speaks the protocol for tools.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A tool.
pub struct Tool {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Events that were read over.
    passed: Vec<Value>,
}

impl Tool {
    /// Starts a session, and waits until it is there.
    pub fn new(command: &str, args: &[&str]) -> Self {
        let mut child = Command::new(command)
            .args(["repl", "--json"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("it was asked for"));
        let mut tool = Self { child, input, output, passed: Vec::new() };
        let ready = tool.until(|event| event["event"] == "ready");
        assert_eq!(ready["protocol"], 1);
        tool
    }

    /// Sends a line.
    pub fn send(&mut self, line: &str) {
        writeln!(self.input.as_mut().expect("it is open"), "{line}").expect("it reads");
    }

    /// The next event.
    pub fn event(&mut self) -> Value {
        let mut line = String::new();
        let length = self.output.read_line(&mut line).expect("it writes text");
        assert!(length > 0, "it ended after {:?}", self.passed);
        assert!(line.bytes().all(|byte| byte == b'\n' || byte >= b' '), "{line:?} acts on a terminal");
        serde_json::from_str(&line).expect("JSON")
    }

    /// The next event that is such a one.
    pub fn until(&mut self, is: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self.event();
            if is(&event) {
                return event;
            }
            self.passed.push(event);
        }
    }

    /// The last event of a request, which may have come already.
    pub fn last_of(&mut self, id: &Value) -> Value {
        let is = |event: &Value| event["id"] == *id && (event["event"] == "done" || event["event"] == "error");
        match self.passed.iter().find(|event| is(event)) {
            Some(event) => event.clone(),
            None => self.until(is),
        }
    }

    /// Asks, and gives the answer.
    pub fn ask(&mut self, mut request: Value) -> Value {
        let id = json!(format!("ask {}", self.passed.len()));
        request["id"] = id.clone();
        self.send(&request.to_string());
        let last = self.last_of(&id);
        self.passed.push(last.clone());
        last
    }

    /// Enters something, and gives the answer and what was written meanwhile.
    pub fn enter(&mut self, text: &str) -> (Value, String) {
        let before = self.passed.len();
        let last = self.ask(json!({"request": "enter", "text": text}));
        let written = self.passed[before..].iter().filter(|event| event["event"] == "output");
        (last, written.filter_map(|event| event["text"].as_str()).collect())
    }

    /// Ends the input, and waits for the end of the process.
    pub fn end(mut self) -> Option<i32> {
        drop(self.input.take());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        // Where a test failed it may still be there.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
