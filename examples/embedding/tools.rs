//! Scripts that a language model wrote, run with typed tools. The declaration of the tools is what the model is told of them; what is wrong with
//! its script is what it is told next.

use std::error::Error;
use std::io::Write;
use std::sync::atomic::{AtomicI64, Ordering};

use pinfold::{Console, Failure, FoldType, ToFold, Vm, grants};

#[derive(Clone, FoldType, ToFold)]
struct Weather {
    celsius: f64,
    rain: bool,
}

/// What you can use.
#[pinfold::capability]
trait Tools {
    /// The weather of a city, now.
    fn weather(&self, city: &str) -> Result<Weather, Failure>;
    /// How often the weather was asked for.
    fn calls(&self) -> i64;
}

/// Tools that count how often they are used.
#[derive(Default)]
struct Counted(AtomicI64);

impl Tools for Counted {
    fn weather(&self, city: &str) -> Result<Weather, Failure> {
        self.0.fetch_add(1, Ordering::Relaxed);
        match city {
            "Oslo" => Ok(Weather { celsius: -3.5, rain: false }),
            "Rome" => Ok(Weather { celsius: 14.0, rain: true }),
            _ => Err(Failure(format!("there is no weather in {city}"))),
        }
    }

    fn calls(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
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
    writeln!(out, "{}", Tools.declaration())?;
    let vm = Vm::builder().capability(&Tools).build()?;
    let object = Tools.with(Counted::default());
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
