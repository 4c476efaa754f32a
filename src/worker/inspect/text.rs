//! A report as a person reads it.

use std::fmt::{self, Display, Formatter};

use pinfold_vm::module::Escaped;

use super::report::{Bounds, Host, Import, Report};

/// Shows a report, the guest's words escaped.
pub struct Text<'a>(pub &'a Report);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let report = self.0;
        let name = report.name.as_deref().unwrap_or("without a name");
        writeln!(f, "Module {}, {} bytes", Escaped(name), report.bytes)?;
        writeln!(f, "  functions: {}, globals: {}", report.functions, report.globals)?;
        sections(report, f)?;
        imports(report, f)?;
        storage(report, f)?;
        exports(report, f)?;
        if let Some(start) = &report.start {
            write!(f, "\nStart\n  function {}", start.index)?;
            start.name.as_deref().map_or(Ok(()), |name| write!(f, " ${}", Escaped(name)))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

fn sections(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(f, "\nSections\n  {:<12}{:>12}{:>12}{:>10}", "", "at byte", "bytes", "entries")?;
    for section in &report.sections {
        let entries = section.entries.map(|n| n.to_string()).unwrap_or_default();
        write!(f, "  {:<12}{:>#12x}{:>12}{entries:>10}", section.kind, section.offset, section.bytes)?;
        section.name.as_deref().map_or(Ok(()), |name| write!(f, "  {}", Escaped(name)))?;
        writeln!(f)?;
    }
    Ok(())
}

fn imports(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    if report.imports.is_empty() {
        return writeln!(f, "\nImports\n  none: it can reach nothing outside of itself");
    }
    writeln!(f, "\nImports")?;
    for import in &report.imports {
        let Import { module, name, item, host } = import;
        writeln!(f, "  {}.{}  {} {}", Escaped(module), Escaped(name), item.kind, item.ty)?;
        match host {
            Host::Provided { capability, grant } => {
                writeln!(f, "      needs {capability}: {}", grant.trim_matches(['(', ')']))?
            }
            Host::OtherType { expected } => writeln!(f, "      refused: the host has this as {expected}")?,
            Host::Unknown => writeln!(f, "      refused: the host table has no such entry")?,
        }
    }
    let capabilities: Vec<&str> = report.capabilities.iter().copied().collect();
    match capabilities[..] {
        [] => Ok(()),
        _ => writeln!(f, "\nCapabilities\n  {}", capabilities.join(", ")),
    }
}

fn storage(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    if !report.memories.is_empty() {
        writeln!(f, "\nMemories")?;
    }
    for (index, memory) in report.memories.iter().enumerate() {
        writeln!(f, "  {index}: {}", Range(memory, "pages"))?;
    }
    if !report.tables.is_empty() {
        writeln!(f, "\nTables")?;
    }
    for (index, table) in report.tables.iter().enumerate() {
        writeln!(f, "  {index}: {} {}", Range(&table.bounds, "elements"), table.element)?;
    }
    Ok(())
}

fn exports(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    if !report.exports.is_empty() {
        writeln!(f, "\nExports")?;
    }
    for export in &report.exports {
        writeln!(f, "  {}  {} {} {}", Escaped(&export.name), export.item.kind, export.index, export.item.ty)?;
    }
    Ok(())
}

struct Range<'a>(&'a Bounds, &'a str);

impl Display for Range<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(Bounds { address, initial, maximum }, unit) = self;
        if *address == "i64" {
            f.write_str("i64 ")?;
        }
        match maximum {
            Some(maximum) => write!(f, "{initial} to {maximum} {unit}"),
            None => write!(f, "{initial} {unit} or more"),
        }
    }
}
