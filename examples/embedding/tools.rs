//! Scripts that a language model wrote, run with typed tools. The declaration of the tools is what the model is told of them; what is wrong with
//! its script is what it is told next.

use std::error::Error;
use std::io::Write;

use pinfold::{Capability, Console, Failure, FoldType, ToFold, Vm, grants};

#[derive(Clone, FoldType, ToFold)]
struct Weather {
    celsius: f64,
    rain: bool,
}

/// What the model wrote at first, and after it heard what is wrong with it.
const ATTEMPTS: [&str; 2] = [
    r#"
import host
fn main(tools: host.Tools, out: Console) -> Result<()> {
    out.print(tools.weather("Oslo").celsius)
}
"#,
    r#"
import host
fn main(tools: host.Tools, out: Console) -> Result<()> {
    for city in ["Oslo", "Rome"] {
        let weather = tools.weather(city)?
        out.print("{city}: {weather.celsius:.1} degrees{if weather.rain { ", rain" } else { "" }}")
    }
    out.print("both cost {tools.calls()} calls")
    tools.weather("Atlantis")?
    Ok(())
}
"#,
];

pub fn run(out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let count = std::sync::atomic::AtomicI64::new(0);
    let tools = Capability::new("Tools")
        .doc("What you can use.")
        .method("weather", ["city"], |calls: &std::sync::atomic::AtomicI64, city: String| -> Result<Weather, Failure> {
            calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            match city.as_str() {
                "Oslo" => Ok(Weather { celsius: -3.5, rain: false }),
                "Rome" => Ok(Weather { celsius: 14.0, rain: true }),
                _ => Err(Failure(format!("there is no weather in {city}"))),
            }
        })
        .doc("The weather of a city, now.")
        .method("calls", [], |calls: &std::sync::atomic::AtomicI64| calls.load(std::sync::atomic::Ordering::Relaxed));
    writeln!(out, "{}", tools.declaration())?;
    let vm = Vm::builder().capability(&tools).build()?;
    let object = tools.with(count);
    for attempt in ATTEMPTS {
        let console = Console::capture();
        let ran = vm
            .compile("script.fold", attempt)
            .and_then(|script| script.run(grants! { tools: object.clone(), out: console.clone() }));
        write!(out, "{}", console.text())?;
        match ran {
            Ok(usage) => writeln!(out, "  done with {:?} units of fuel", usage.fuel)?,
            Err(error) => {
                writeln!(out, "  {}: {}", error.code(), error.to_string().lines().next().unwrap_or_default())?
            }
        }
    }
    Ok(())
}
