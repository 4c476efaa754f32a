//! A server whose requests are handled in Fold: a handler sees a request and the store that it is granted, nothing else, and what one request does
//! wrong is that request's error.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use pinfold::{Capability, FromFold, ToFold, Vm, grants};

#[derive(ToFold)]
struct Request {
    method: String,
    path: String,
    query: BTreeMap<String, String>,
}

#[derive(FromFold)]
struct Response {
    status: u16,
    body: String,
}

const HANDLER: &str = r#"
import host

record Request { method: String, path: String, query: Map<String, String> }
record Response { status: Int, body: String }

pub fn handle(store: host.Store, request: Request) -> Response {
    let key = request.path.slice(1, request.path.len())
    match request.method {
        "GET" => match store.get(key) {
            Some(value) => Response { status: 200, body: value },
            None => Response { status: 404, body: "there is no {key}" },
        },
        "PUT" => {
            store.put(key, request.query["value"])
            Response { status: 204, body: "" }
        }
        _ => Response { status: 405, body: request.method },
    }
}
"#;

type Values = Mutex<BTreeMap<String, String>>;

pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let lock = |values: &Values| values.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let store = Capability::new("Store")
        .method("get", ["key"], move |values: &Values, key: String| lock(values).get(&key).cloned())
        .method("put", ["key", "value"], |values: &Values, key: String, value: String| {
            values.lock().unwrap_or_else(PoisonError::into_inner).insert(key, value);
        });
    let vm = Vm::builder().capability(&store).build()?;
    let handler = vm.compile("handler.fold", HANDLER)?;
    let values = store.with(Values::default());
    let requests =
        [("PUT", "/pig", Some("in the pound")), ("GET", "/pig", None), ("GET", "/cow", None), ("PUT", "/cow", None)];
    for (method, path, value) in requests {
        let query = value.map(|value| ("value".to_owned(), value.to_owned())).into_iter().collect();
        let request = Request { method: method.into(), path: path.into(), query };
        // A session for each request: nothing of one is seen by another.
        let answer = handler.session(grants! { store: values.clone() })?.call("handle", (&request,));
        let Response { status, body } =
            answer.unwrap_or_else(|error| Response { status: 500, body: error.code().into() });
        writeln!(out, "  {method} {path}: {status} {body}")?;
    }
    Ok(())
}
