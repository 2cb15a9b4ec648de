//! JSON Lines: one concert a line, with its performances. Fields not named here are only told; public files have many.

use serde_json::{Map, Value};

use super::collect::{Collector, Draft, Known};
use super::fault::{Fault, listed, not_json, shown};
use super::{fields, names, start};

/// The fields of a concert; all must be there.
pub(super) const OF_CONCERT: [&str; 3] = ["id", "title", "performances"];
/// The fields of a performance; the first two must be there.
pub(super) const OF_PERFORMANCE: [&str; 6] = ["venue", "start", "price", "seats", "tz", "status"];

pub(super) fn read(bytes: &[u8], collector: &mut Collector) {
    for (index, text) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = index + 1;
        if text.trim_ascii().is_empty() {
            continue;
        }
        if let Err(fault) = concert(text, line, collector) {
            collector.bad(line, fault);
        }
    }
}

/// Reads one line. A fault of the concert is returned; one of a performance becomes a bad row of its own, and the other
/// performances are still read.
fn concert(text: &[u8], line: usize, collector: &mut Collector) -> Result<(), Fault> {
    let text = str::from_utf8(text).map_err(|_| Fault::NotUtf8)?;
    let value: Value = serde_json::from_str(text).map_err(|error| not_json(&error, 0))?;
    let concert = value.as_object().ok_or(Fault::NotAnObject)?;
    let source_id = source_id(concert)?;
    let title = fields::name(fields::text(concert, "title")?, "title")?;
    let performances = performances(concert)?;
    check_fields(concert, performances)?;
    names::unknown(concert, &OF_CONCERT).for_each(|name| collector.ignored(name.to_owned()));
    let known = collector.concert(source_id, title, line)?;
    for (index, value) in performances.iter().enumerate() {
        if let Err(fault) = performance(value, line, known, collector) {
            collector.bad(line, format!("performance {}: {fault}", index + 1));
        }
    }
    Ok(())
}

/// Refuses what looks like a field of performances that some of them lack: it was meant for all, and would be for none.
fn check_fields(concert: &Map<String, Value>, performances: &[Value]) -> Result<(), Fault> {
    let lacks = |field: &str| performances.iter().any(|performance| performance.get(field).is_none());
    for name in names::unknown(concert, &OF_CONCERT) {
        if let Some(meant) = names::meant(name).find(|field| lacks(field)) {
            return Err(Fault::FieldOfPerformances { found: shown(name), meant });
        }
    }
    Ok(())
}

/// The id, as text or as a whole number: 14934 and "14934" are the same.
fn source_id(concert: &Map<String, Value>) -> Result<String, Fault> {
    const FIELD: &str = "id";
    match concert.get(FIELD) {
        Some(Value::Number(number)) if !number.is_f64() => fields::source_id(&number.to_string(), FIELD),
        _ => {
            let text = fields::text(concert, FIELD)?;
            fields::source_id(text.unwrap_or_default(), FIELD)
        }
    }
}

fn performances(concert: &Map<String, Value>) -> Result<&[Value], Fault> {
    match concert.get("performances") {
        Some(Value::Array(list)) if !list.is_empty() => Ok(list),
        None | Some(Value::Null | Value::Array(_)) => Err(Fault::NoPerformances),
        Some(_) => Err(Fault::PerformancesNotAList),
    }
}

fn performance(value: &Value, line: usize, known: Known, collector: &mut Collector) -> Result<(), Fault> {
    let performance = value.as_object().ok_or(Fault::NotAnObject)?;
    let unknown = || names::unknown(performance, &OF_PERFORMANCE);
    if let Some(misspelt) = names::misspelt(unknown(), |field| performance.contains_key(field)) {
        return Err(Fault::NoSuchField { misspelt, known: listed(&OF_PERFORMANCE) });
    }
    unknown().for_each(|name| collector.ignored(format!("performances[].{name}")));
    let start = start::parse(fields::text(performance, "start")?, fields::text(performance, "tz")?)?;
    let draft = Draft {
        line,
        venue: fields::name(fields::text(performance, "venue")?, "venue")?,
        start,
        price: fields::price(fields::number_text(performance, "price").as_deref())?,
        seats: fields::seats(fields::number_text(performance, "seats").as_deref())?,
        on_sale: fields::on_sale(fields::text(performance, "status")?)?,
    };
    collector.performance(known, draft)
}
