//! Prices of schema.org: in the currency's major unit, with a decimal point. The engine counts in the minor unit.

use super::MAX_PRICE;
use super::fault::{Fault, shown};
use super::fields::is_digits;

/// The currencies of ISO 4217 whose minor unit is no hundredth: how many decimals they have, and which those are.
const DECIMALS: [(usize, &[&str]); 3] = [
    (
        0,
        &[
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
            "XAF", "XOF", "XPF",
        ],
    ),
    (3, &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]),
    (4, &["CLF", "UYW"]),
];

fn decimals(currency: &str) -> Result<usize, Fault> {
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(Fault::UnknownCurrency { found: shown(currency) });
    }
    let is_it = |code: &&str| code.eq_ignore_ascii_case(currency);
    let other = DECIMALS.iter().find(|(_, currencies)| currencies.iter().any(is_it));
    Ok(other.map_or(2, |(decimals, _)| *decimals))
}

/// A price in the minor unit, 0 to [`MAX_PRICE`]. Nothing costs nothing in any currency; any other price needs one.
pub(super) fn minor_units(price: &str, currency: Option<&str>) -> Result<u64, Fault> {
    let price = price.trim();
    let found = || shown(price);
    let (whole, fraction) = price.split_once('.').unwrap_or((price, "0"));
    if [whole, fraction].iter().any(|digits| !is_digits(digits)) {
        return Err(Fault::PriceNotDecimal { found: found() });
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() && whole.bytes().all(|digit| digit == b'0') {
        return Ok(0);
    }
    let currency = currency.ok_or_else(|| Fault::NoCurrency { found: found() })?;
    let decimals = decimals(currency)?;
    if fraction.len() > decimals {
        return Err(Fault::PriceTooFine { found: found(), currency: currency.to_owned(), decimals });
    }
    let minor = format!("{whole}{fraction:0<decimals$}").parse::<u64>().ok();
    minor.filter(|minor| *minor <= MAX_PRICE).ok_or_else(|| Fault::PriceOutOfRange { found: found() })
}
