//! Charts as SVG, drawn into the page: no script, nothing to fetch.

use std::fmt::Write;

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 36.0;
const TICKS: u32 = 4;
/// Colours that people with red-green weakness can tell apart.
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999933"];

/// A line of a chart.
pub(super) struct Line {
    /// What it shows.
    pub(super) name: String,
    /// Its points: seconds, and the value.
    pub(super) points: Vec<(f64, f64)>,
}

impl Line {
    pub(super) fn new(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), points }
    }
}

/// A chart over the seconds of the run. `unit` says what its values are.
pub(super) fn chart(title: &str, unit: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let last = points().map(|(at, _)| *at).fold(1.0, f64::max);
    let most = round_up(points().map(|(_, value)| *value).fold(0.0, f64::max));
    let x = |at: f64| LEFT + (WIDTH - LEFT - RIGHT) * at / last;
    let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most;
    let mut svg = format!(
        "<figure><figcaption>{title}</figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{title}\">"
    );
    for tick in 0..=TICKS {
        let part = f64::from(tick) / f64::from(TICKS);
        let (value, at) = (most * part, last * part);
        draw(
            &mut svg,
            format_args!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{} s</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y(value) + 4.0,
                short(value),
                x(at),
                HEIGHT - BOTTOM + 16.0,
                short(at),
                y = y(value),
            ),
        );
    }
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let path: Vec<String> =
            line.points.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect();
        draw(&mut svg, format_args!("<polyline stroke=\"{colour}\" points=\"{}\"/>", path.join(" ")));
        if let [(at, value)] = line.points[..] {
            draw(
                &mut svg,
                format_args!(
                    "<circle fill=\"{colour}\" r=\"3\" cx=\"{:.1}\" cy=\"{:.1}\"/>",
                    x(at),
                    y(value)
                ),
            );
        }
    }
    svg.push_str("</svg><p class=\"legend\">");
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()).filter(|(line, _)| !line.name.is_empty()) {
        draw(&mut svg, format_args!("<span><i style=\"background:{colour}\"></i>{}</span> ", line.name));
    }
    draw(&mut svg, format_args!("<span>{unit}</span></p></figure>"));
    svg
}

/// Writing into a string can't fail.
fn draw(svg: &mut String, what: std::fmt::Arguments<'_>) {
    svg.write_fmt(what).ok();
}

/// The next number with one or two digits that a scale can end with.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let magnitude = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 4.0, 5.0, 8.0, 10.0];
    steps.iter().map(|step| step * magnitude).find(|end| *end >= value).unwrap_or(value)
}

/// A number with as few digits as tell it apart.
pub(super) fn short(value: f64) -> String {
    match value {
        value if value >= 10_000.0 => format!("{:.0}k", value / 1_000.0),
        value if value >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        value if value >= 1.0 => format!("{value:.1}"),
        value => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number_that_is_large_enough() {
        for (value, end) in
            [(0.0, 1.0), (0.7, 0.8), (1.0, 1.0), (3.0, 4.0), (47.0, 50.0), (51_000.0, 80_000.0)]
        {
            assert!((round_up(value) - end).abs() < 1e-9, "{value}");
        }
    }

    #[test]
    fn every_point_lies_inside_the_chart() {
        let svg = chart("t", "ms", &[Line::new("a", vec![(0.0, 0.0), (10.0, 123.0)])]);
        let points = svg.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
        for point in points.split(' ') {
            let (x, y) = point.split_once(',').unwrap();
            let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
            assert!((LEFT..=WIDTH - RIGHT).contains(&x) && (TOP..=HEIGHT - BOTTOM).contains(&y), "{point}");
        }
    }
}
