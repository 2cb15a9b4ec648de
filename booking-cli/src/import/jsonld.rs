//! schema.org `Event` objects in JSON-LD, each a performance. They have no ids: events of the same name are one concert.
//!
//! The objects are first found as raw text, which borrows from the file and so tells where each begins, and then read
//! one by one, so that a fault in one leaves the others.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::collect::{Collector, Draft};
use super::fault::{Fault, not_json};
use super::lines::Lines;
use super::{currency, fields, start};

/// How deep events may be nested in lists and `@graph`s. Pages that collect others go to three.
const MAX_DEPTH: usize = 8;

pub(super) fn read(bytes: &[u8], collector: &mut Collector) {
    let mut lines = Lines::new(bytes);
    let text = match str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return collector.bad(lines.line_at(error.valid_up_to()), Fault::NotUtf8),
    };
    let top: &RawValue = match serde_json::from_str(text) {
        Ok(top) => top,
        Err(error) => return collector.bad(error.line().max(1), not_json(&error, 0)),
    };
    let mut nodes = Vec::new();
    gather(top, 0, &mut nodes);
    for node in nodes {
        let offset = node.get().as_ptr().addr().saturating_sub(text.as_ptr().addr());
        let line = lines.line_at(offset);
        match serde_json::from_str(node.get()) {
            Ok(value) => {
                if let Err(fault) = event(&value, line, collector) {
                    collector.bad(line, fault);
                }
            }
            // Some faults, such as half a surrogate pair in a string, show only now.
            Err(error) => {
                let before = lines.before(offset);
                collector.bad(line + error.line().saturating_sub(1), not_json(&error, before));
            }
        }
    }
}

/// Unfolds lists and `@graph`s into `nodes`, in the order of the file. What cannot be unfolded is a node itself, for
/// [`event`] to find fault with.
fn gather<'a>(raw: &'a RawValue, depth: usize, nodes: &mut Vec<&'a RawValue>) {
    let inner: Option<Vec<&RawValue>> = match raw.get().as_bytes().first() {
        Some(b'[') => serde_json::from_str(raw.get()).ok(),
        Some(b'{') => graph(raw).map(|graph| vec![graph]),
        _ => None,
    };
    match inner {
        Some(inner) if depth < MAX_DEPTH => {
            for raw in inner {
                gather(raw, depth + 1, nodes);
            }
        }
        _ => nodes.push(raw),
    }
}

fn graph(raw: &RawValue) -> Option<&RawValue> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).ok()?;
    fields.get("@graph").copied()
}

/// Reads one object. Those that are no events (places, organizations, the page itself) are passed over.
fn event(value: &Value, line: usize, collector: &mut Collector) -> Result<(), Fault> {
    let event = value.as_object().ok_or(Fault::NotAnObject)?;
    if !is_event(event)? {
        return Ok(());
    }
    let title = fields::name(fields::text(event, "name")?, "name")?;
    let place = place(event)?;
    let seats = fields::number_text(event, CAPACITY).or(place.capacity);
    let draft = Draft {
        line,
        venue: place.venue,
        start: start::parse(fields::text(event, "startDate")?, None)?,
        price: price(event, collector.has_price())?,
        seats: fields::seats(seats.as_deref())?,
        on_sale: on_sale(event)?,
    };
    let known = collector.concert(title.clone(), title, line)?;
    collector.performance(known, draft)
}

/// A dated object without a type is more likely an event badly written than something else, so it is not passed over.
fn is_event(object: &Map<String, Value>) -> Result<bool, Fault> {
    match object.get("@type") {
        Some(Value::String(name)) => Ok(is_event_type(name)),
        Some(Value::Array(names)) => Ok(names.iter().filter_map(Value::as_str).any(is_event_type)),
        _ if object.contains_key("startDate") => Err(Fault::NoType),
        _ => Ok(false),
    }
}

/// `Event`, `MusicEvent`, `Festival` and their like, with or without the prefix of schema.org.
fn is_event_type(name: &str) -> bool {
    let prefixes = ["https://schema.org/", "http://schema.org/", "schema:"];
    let name = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    let is_word = name.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_word && (name.ends_with("Event") || name.ends_with("Festival"))
}

const CAPACITY: &str = "maximumAttendeeCapacity";

struct Place {
    venue: String,
    capacity: Option<String>,
}

/// The first location, if there are several: a name by itself, or an object with a name.
fn place(event: &Map<String, Value>) -> Result<Place, Fault> {
    const FIELD: &str = "location";
    let location = match event.get(FIELD) {
        Some(Value::Array(locations)) => locations.first(),
        location => location,
    };
    match location {
        None | Some(Value::Null) => Err(Fault::Missing { field: FIELD }),
        Some(Value::String(name)) => Ok(Place { venue: fields::name(Some(name), FIELD)?, capacity: None }),
        Some(Value::Object(location)) => {
            let name = fields::text(location, "name")?;
            let name = fields::present(name).or_else(|| is_virtual(location).then_some("Online"));
            Ok(Place {
                venue: fields::name(name, "location name")?,
                capacity: fields::number_text(location, CAPACITY),
            })
        }
        Some(_) => Err(Fault::NotText { field: FIELD }),
    }
}

/// A virtual location has an address to click rather than a name.
fn is_virtual(location: &Map<String, Value>) -> bool {
    let name = location.get("@type").and_then(Value::as_str);
    name.is_some_and(|name| name.ends_with("VirtualLocation"))
}

/// The price of the first offer that has one, in the minor unit; schema.org has the major. `lowPrice` is what an
/// `AggregateOffer` has in its stead. A price without a currency can't be converted: it counts as none if a default is given.
fn price(event: &Map<String, Value>, has_default: bool) -> Result<Option<u64>, Fault> {
    let offers = match event.get("offers") {
        Some(Value::Array(offers)) => offers.as_slice(),
        Some(offer) => std::slice::from_ref(offer),
        None => &[],
    };
    let priced = offers.iter().filter_map(Value::as_object).find_map(|offer| {
        let price = fields::number_text(offer, "price").or_else(|| fields::number_text(offer, "lowPrice"));
        price.map(|price| (price, offer))
    });
    let Some((price, offer)) = priced else { return Ok(None) };
    let currency = fields::present(fields::text(offer, "priceCurrency")?);
    match currency::minor_units(&price, currency) {
        Err(Fault::NoCurrency { .. }) if has_default => Ok(None),
        price => price.map(Some),
    }
}

/// An event may be rescheduled and moved online at once, and then has a list. One word that stops the sale is enough.
fn on_sale(event: &Map<String, Value>) -> Result<bool, Fault> {
    const FIELD: &str = "eventStatus";
    let Some(Value::Array(list)) = event.get(FIELD) else {
        return fields::on_sale(fields::text(event, FIELD)?);
    };
    let mut all = true;
    for status in list {
        let status = status.as_str().ok_or(Fault::NotText { field: FIELD })?;
        all &= fields::on_sale(Some(status))?;
    }
    Ok(all)
}
