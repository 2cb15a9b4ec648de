//! The numbers as text, in the form that Prometheus reads (`OpenMetrics` 1.0).

use std::{fmt, sync::Arc, time::Duration};

use booking_core::{LaneStatus, store::Totals};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, MetricEncoder, NoLabelSet, text},
    metrics::MetricType,
    registry::{Registry, Unit},
};

use super::{
    Call, Metrics,
    http::ENDINGS,
    process,
    sharded::{Timed, UP_TO},
};

/// What the text is to be served as.
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const NANOS: f64 = 1e-9;

/// How the sale stands, on all instances.
#[derive(Debug)]
pub(crate) struct Sale {
    pub(crate) totals: Totals,
    pub(crate) lanes: Vec<LaneStatus>,
}

/// All numbers of a server and the sale as it is now; no sale: the stores did not tell.
pub(crate) fn write(metrics: &Arc<Metrics>, sale: Option<Sale>) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Look { metrics: Arc::clone(metrics), sale }));
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Look {
    metrics: Arc<Metrics>,
    sale: Option<Sale>,
}

impl Collector for Look {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.requests(&mut encoder)?;
        self.problems(&mut encoder)?;
        self.stores(&mut encoder)?;
        self.batches(&mut encoder)?;
        self.sale(&mut encoder)?;
        self.process(&mut encoder)
    }
}

/// Labels with their values.
type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

fn counter<const N: usize>(family: &mut MetricEncoder<'_>, labels: Labels<'_, N>, value: u64) -> fmt::Result {
    family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)
}

fn gauge<const N: usize>(
    family: &mut MetricEncoder<'_>,
    labels: Labels<'_, N>,
    value: &impl EncodeGaugeValue,
) -> fmt::Result {
    family.encode_family(&labels)?.encode_gauge(value)
}

#[allow(clippy::cast_precision_loss, reason = "a float is what the text takes, exact to 53 bits")]
fn float(number: u64) -> f64 {
    number as f64
}

fn timings<const N: usize>(
    family: &mut MetricEncoder<'_>,
    labels: Labels<'_, N>,
    timed: &Timed,
) -> fmt::Result {
    let bounds = UP_TO.into_iter().map(|nanos| float(nanos) * NANOS).chain([f64::INFINITY]);
    let buckets: Vec<(f64, u64)> = bounds.zip(timed.counts).collect();
    let count = timed.counts.iter().sum();
    let sum = float(timed.nanos) * NANOS;
    family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
}

impl Look {
    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all: Vec<_> =
            self.metrics.http.all().into_iter().map(|series| (series.numbers(), series)).collect();
        let help = "Requests by route and how they ended; gone: the client left before the answer.";
        let mut family =
            encoder.encode_descriptor("booking_http_requests", help, None, MetricType::Counter)?;
        for (figures, series) in &all {
            for (ending, count) in ENDINGS.into_iter().zip(figures.ended).filter(|(_, count)| *count > 0) {
                let labels = [("route", &*series.route), ("method", series.method), ("status", ending)];
                counter(&mut family, labels, count)?;
            }
        }
        let help = "Time until a request's answer began; a stream's end is not waited for.";
        let (name, unit) = ("booking_http_request_duration", Some(&Unit::Seconds));
        let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        for (figures, series) in &all {
            let labels = [("route", &*series.route), ("method", series.method)];
            timings(&mut family, labels, &figures.timed)?;
        }
        let help = "Requests whose answer has not begun.";
        let mut family =
            encoder.encode_descriptor("booking_http_requests_in_flight", help, None, MetricType::Gauge)?;
        for (figures, series) in &all {
            let labels = [("route", &*series.route), ("method", series.method)];
            gauge(&mut family, labels, &figures.in_flight)?;
        }
        Ok(())
    }

    fn problems(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Refusals and errors answered, by the code of the problem.";
        let mut family = encoder.encode_descriptor("booking_problems", help, None, MetricType::Counter)?;
        for (code, count) in self.metrics.http.problems().filter(|(_, count)| *count > 0) {
            counter(&mut family, [("code", code.as_str())], count)?;
        }
        let help = "What buyers did through this instance since it started: holds made, expired (swept) and released, \
                    wallets charged, reservations paid and refunded. Add the instances up.";
        let mut family = encoder.encode_descriptor("booking_deeds", help, None, MetricType::Counter)?;
        for (deed, count) in self.metrics.happened.all() {
            counter(&mut family, [("deed", deed)], count)?;
        }
        Ok(())
    }

    fn stores(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let calls = || Call::ALL.into_iter().enumerate();
        let help = "Time the stores took to answer, waiting for their turn included.";
        let (name, unit) = ("booking_store_call_duration", Some(&Unit::Seconds));
        let mut family = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        for (at, (store, call)) in calls() {
            let timed = self.metrics.calls.timed(|calls| &calls.0[at].timings);
            timings(&mut family, [("store", store), ("call", call)], &timed)?;
        }
        let help = "Calls in which the machinery of a store failed; a refusal is no failure.";
        let mut family =
            encoder.encode_descriptor("booking_store_failures", help, None, MetricType::Counter)?;
        for (at, (store, call)) in calls() {
            let failed = self.metrics.calls.sum(|calls| &calls.0[at].failed);
            counter(&mut family, [("store", store), ("call", call)], failed)?;
        }
        let help = "Whether the stores told how the sale stands when this was asked.";
        let mut family = encoder.encode_descriptor("booking_stores_up", help, None, MetricType::Gauge)?;
        family.encode_gauge(&u64::from(self.sale.is_some()))
    }

    fn batches(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(batches) = self.metrics.batches.get() else { return Ok(()) };
        let help = "Calls that the workers of a store executed as one.";
        let mut family =
            encoder.encode_descriptor("booking_batch_size", help, None, MetricType::Histogram)?;
        for (queue, sizes) in batches {
            let jobs = float(sizes.jobs());
            let bounds = sizes.batches().map(|(bound, count)| (bound.map_or(f64::INFINITY, float), count));
            let buckets: Vec<(f64, u64)> = bounds.collect();
            let count = buckets.iter().map(|(_, count)| count).sum();
            let labels = [("queue", *queue)];
            let mut one = family.encode_family(&labels)?;
            one.encode_histogram::<NoLabelSet>(jobs, count, &buckets, None)?;
        }
        Ok(())
    }

    fn sale(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(Sale { totals, lanes }) = &self.sale else { return Ok(()) };
        let help = "Reservations that are held and have not run out, on all instances.";
        let mut family = encoder.encode_descriptor("booking_active_holds", help, None, MetricType::Gauge)?;
        family.encode_gauge(&totals.active_holds)?;
        let help = "Seats that are sold, on all instances.";
        let mut family = encoder.encode_descriptor("booking_seats_sold", help, None, MetricType::Gauge)?;
        family.encode_gauge(&totals.seats_sold)?;
        let of_lane: [OfLane; 5] = [
            ("booking_lane_waiting", "People who wait in the lane, on all instances.", |lane| {
                lane.snapshot.as_ref().map(|snapshot| float(snapshot.waiting))
            }),
            ("booking_lane_admitted", "People who are admitted, on all instances.", |lane| {
                lane.snapshot.as_ref().map(|snapshot| float(snapshot.admitted))
            }),
            ("booking_lane_capacity", "How many may be admitted at once.", |lane| {
                Some(lane.record.settings.policy.capacity.into())
            }),
            (
                "booking_lane_admissions_per_second",
                "How fast the lane admitted of late; absent while nobody was.",
                |lane| lane.snapshot.as_ref().and_then(|snapshot| per_second(snapshot.per_admission)),
            ),
            ("booking_lane_open", "1 while people are admitted; 0: paused, closed or sold out.", |lane| {
                let settings = &lane.record.settings;
                Some(f64::from(u8::from(!(settings.paused || settings.closed || settings.sold_out))))
            }),
        ];
        for (name, help, value) in of_lane {
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for lane in lanes {
                if let Some(value) = value(lane) {
                    gauge(&mut family, [("lane", lane.record.name.as_str())], &value)?;
                }
            }
        }
        Ok(())
    }

    fn process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = ("process_start_time", "When this process started, in seconds since 1970.");
        let started = Duration::from_micros(u64::try_from(self.metrics.started.micros()).unwrap_or(0));
        let mut family = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Gauge)?;
        family.encode_gauge(&started.as_secs_f64())?;
        if let Some(bytes) = process::resident_bytes() {
            let (name, help) = ("process_resident_memory", "Memory in use.");
            let mut family = encoder.encode_descriptor(name, help, Some(&Unit::Bytes), MetricType::Gauge)?;
            family.encode_gauge(&bytes)?;
        }
        if let Some(open) = process::open_files() {
            let (name, help) = ("process_open_fds", "Files and connections that are open.");
            encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&open)?;
        }
        Ok(())
    }
}

/// A gauge of a lane: its name, its help, and what it is.
type OfLane = (&'static str, &'static str, fn(&LaneStatus) -> Option<f64>);

fn per_second(per_admission: Option<Duration>) -> Option<f64> {
    per_admission.map(|one| one.as_secs_f64()).filter(|seconds| *seconds > 0.0).map(f64::recip)
}
