//! What tools are told.

use serde_json::{Value, json};

use super::PINFOLD;
use super::json::Tool;

fn names(answer: &Value) -> Vec<&str> {
    let found = answer["completions"].as_array().expect("completions");
    found.iter().filter_map(|candidate| candidate["name"].as_str()).collect()
}

fn type_of<'a>(answer: &'a Value, name: &str) -> &'a str {
    let found = answer["completions"].as_array().expect("completions");
    let found = found.iter().find(|candidate| candidate["name"] == name);
    found.and_then(|candidate| candidate["type"].as_str()).unwrap_or_else(|| panic!("no {name} in {answer}"))
}

fn complete(tool: &mut Tool, text: &str) -> Value {
    tool.ask(json!({"request": "complete", "text": text}))
}

#[test]
fn a_tool_is_told_values_output_errors_and_ends() {
    let mut tool = Tool::new(PINFOLD, &[]);
    let (answer, written) = tool.enter("console.print(\"ä\\u{1b}[2J\"); [1, 2]");
    assert_eq!(written, "ä\u{1b}[2J\n");
    assert_eq!(
        (&answer["ok"], &answer["value"]["text"], &answer["value"]["type"]),
        (&json!(true), &json!("[1, 2]"), &json!("List<Int>"))
    );
    assert!(answer["fuel"].as_u64().is_some_and(|fuel| fuel > 0 && fuel < 1_000_000), "{answer}");
    let (answer, _) = tool.enter("let x = 1\nx + \"a\"");
    let finding = &answer["findings"][0];
    assert_eq!((&answer["ok"], &finding["severity"]), (&json!(false), &json!("error")));
    assert_eq!((&finding["spans"][0]["line"], &finding["spans"][0]["primary"]), (&json!(2), &json!(true)), "{answer}");
    assert!(
        finding["spans"][0]["file"] == answer["entry"]
            && finding["text"].as_str().is_some_and(|text| text.contains("error["))
    );
    let (after, _) = tool.enter("panic(\"on purpose\")");
    assert_ne!(after["entry"], answer["entry"], "a rejected entry has a name of its own");
    assert_eq!((&after["ended"]["kind"], &after["ok"]), (&json!("trap"), &json!(false)));
    assert!(after["ended"]["frames"][0].as_str().is_some());
    tool.enter("let kept = \"text\"");
    let variables = tool.ask(json!({"request": "variables"}));
    assert!(
        variables["variables"]
            .as_array()
            .is_some_and(|all| all.contains(&json!({"name": "kept", "type": "String", "mutable": false})))
    );
    let granted = tool.ask(json!({"request": "caps"}));
    assert!(
        granted["granted"].as_array().is_some_and(|all| all.contains(&json!({"name": "console", "kind": "Console"})))
    );
    assert_eq!(tool.ask(json!({"request": "reset"}))["ok"], true);
    assert_eq!(tool.enter("kept").0["findings"][0]["code"], "F0201");
    assert_eq!(tool.end(), Some(0));
}

#[test]
fn what_runs_and_what_waits_is_cancelled_and_nothing_else() {
    let mut tool = Tool::new(PINFOLD, &["--timeout", "0"]);
    tool.send(r#"{"id": 1, "request": "enter", "text": "var n = 3; console.print(\"begun\")\nwhile true {}"}"#);
    tool.send(r#"{"id": 2, "request": "enter", "text": "4"}"#);
    tool.send(r#"{"id": 3, "request": "enter", "text": "5"}"#);
    tool.until(|event| event["event"] == "output" && event["text"] == "begun\n");
    tool.send(r#"{"id": 4, "request": "cancel", "which": 2}"#);
    assert_eq!(tool.last_of(&json!(2))["stopped"], "cancelled");
    assert_eq!(tool.last_of(&json!(4))["ok"], true);
    tool.send(r#"{"id": 5, "request": "cancel", "which": 1}"#);
    assert_eq!(tool.last_of(&json!(5))["ok"], true);
    let stopped = tool.last_of(&json!(1));
    assert_eq!((&stopped["stopped"], &stopped["ok"]), (&json!("cancelled"), &json!(false)));
    assert_eq!(tool.last_of(&json!(3))["value"]["text"], "5");
    // What has ended is not there to be cancelled, and what comes next is not.
    tool.send(r#"{"id": 6, "request": "cancel", "which": 3}"#);
    tool.send(r#"{"id": 7, "request": "enter", "text": "6"}"#);
    assert_eq!(tool.last_of(&json!(6))["ok"], false);
    assert_eq!(tool.last_of(&json!(7))["value"]["text"], "6");
    assert_eq!(tool.end(), Some(0));
}

#[test]
fn lines_that_are_no_requests_are_answered_and_cost_nothing() {
    let mut tool = Tool::new(PINFOLD, &[]);
    for (line, id) in [
        ("nonsense", Value::Null),
        (r#"{"id": 1, "request": "grant", "text": "data=/"}"#, json!(1)),
        (r#"{"id": {"a": 2}, "request": "enter"}"#, json!({"a": 2})),
        ("[]", Value::Null),
        (r#"{"id": 3, "request": "complete", "text": "ä", "at": 1}"#, json!(3)),
    ] {
        tool.send(line);
        let answer = tool.event();
        assert_eq!((&answer["event"], &answer["id"]), (&json!("error"), &id), "{line}");
    }
    tool.send(&format!("{{\"text\": \"{}\"}}", "x".repeat(2 << 20)));
    assert!(tool.event()["message"].as_str().is_some_and(|message| message.contains("longer than")));
    let (answer, _) = tool.enter(&format!("\"{}\"", "x".repeat(70_000)));
    assert!(answer["message"].as_str().is_some_and(|message| message.contains("too long")), "{answer}");
    // A command is none here.
    assert_eq!(tool.enter(":grant data=/").0["ok"], false);
    assert_eq!(tool.enter("1 + 1").0["value"]["text"], "2");
    assert_eq!(tool.end(), Some(0));
}

#[test]
fn output_that_is_too_much_ends_the_entry_and_no_more_of_it_comes() {
    let mut tool = Tool::new(PINFOLD, &["--max-output", "100"]);
    let (answer, written) = tool.enter("while true { console.print(\"x\") }");
    assert_eq!((&answer["ok"], &answer["ended"]["kind"]), (&json!(false), &json!("output")));
    assert!(written.len() <= 100, "{} bytes", written.len());
    assert_eq!(tool.enter("2").0["value"]["text"], "2");
    assert_eq!(tool.end(), Some(0));
}

#[test]
fn what_can_stand_at_a_place_is_told_with_its_type() {
    let mut tool = Tool::new(PINFOLD, &[]);
    tool.enter("record Point { x: Int, y: Float }\nimpl Point {\n  /// How far away it is.\n  fn far(self) -> Float { self.y }\n}\nlet p = Point { x: 1, y: 2.0 }\nlet xs = [p]");
    tool.enter("enum Shape { Round, Square(Int) }\nfn double(n: Int) -> Int { n * 2 }");
    let answer = complete(&mut tool, "p.");
    assert_eq!(
        [type_of(&answer, "x"), type_of(&answer, "y"), type_of(&answer, "far")],
        ["Int", "Float", "fn far(self) -> Float"]
    );
    assert_eq!(answer["start"], 2);
    // Types are known wherever the place is: in a closure's parameter, in a text, in what is not closed.
    for text in [
        "xs.map(|each| each.fa",
        "\"{p.fa",
        "fn f(q: Point) -> Float {\n  let z = q\n  z.fa",
        "xs[0].fa",
        "[p].first().or(p).fa",
    ] {
        assert_eq!(names(&complete(&mut tool, text)), ["far"], "{text}");
    }
    assert_eq!(
        type_of(&complete(&mut tool, "xs.ma"), "map"),
        "fn map<U>(var self, change: fn(T) -> U) -> Mapped<Self, T, U>"
    );
    assert_eq!(
        names(&complete(&mut tool, "Shape.")).iter().filter(|name| **name == "Round" || **name == "Square").count(),
        2
    );
    assert_eq!(type_of(&complete(&mut tool, "doub"), "double"), "fn double(n: Int) -> Int");
    assert_eq!(type_of(&complete(&mut tool, "p"), "p"), "Point");
    assert_eq!(names(&complete(&mut tool, "whi")), ["while"]);
    assert_eq!(names(&complete(&mut tool, "import text/cs")), ["text/csv"]);
    assert_eq!(names(&complete(&mut tool, "import text/csv {rows_")), ["rows_with"]);
    assert_eq!(names(&complete(&mut tool, "import text/csv\ncsv.rows_")), ["rows_with"]);
    assert_eq!(names(&complete(&mut tool, "xs[0].unknown().")), [""; 0]);
    let doc = tool.ask(json!({"request": "doc", "text": "p.far"}));
    assert_eq!(doc["text"]["text"], "fn far(self) -> Float\n\nHow far away it is.");
    assert_eq!(tool.end(), Some(0));
}
