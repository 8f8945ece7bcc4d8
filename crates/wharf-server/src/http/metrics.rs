//! What Prometheus reads.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use wharf_core::job::JobStatus;
use wharf_core::live::LiveStats;
use wharf_core::push::Outcome;
use wharf_store::sql::Stats;

use super::Http;
use crate::gateway::Counted;
use crate::listen::Traffic;

/// Bounds of the histogram of times, in seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Counters of the door.
pub(super) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, Buckets>,
    deliveries: Family<DeliveryLabels, Counter>,
    notices: Family<DeliveryLabels, Counter>,
    registry: Registry,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone)]
struct Buckets;

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(SECONDS)
    }
}

impl Metrics {
    pub(super) fn new(traffic: Arc<Traffic>) -> Self {
        let mut registry = Registry::with_prefix("wharf");
        let requests = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let seconds = Family::new_with_constructor(Buckets);
        registry.register(
            "http_request_seconds",
            "Time from a request's head to its answer's",
            seconds.clone(),
        );
        let deliveries = Family::default();
        registry.register(
            "webhook_deliveries",
            "Attempts to post to webhooks",
            deliveries.clone(),
        );
        let notices = Family::default();
        registry.register(
            "push_notices",
            "Attempts to post notices to push services",
            notices.clone(),
        );
        registry.register_collector(Box::new(Connections(traffic)));
        Self {
            requests,
            seconds,
            deliveries,
            notices,
            registry,
        }
    }

    /// Counts a request whose answer begins.
    pub(super) fn count_request(
        &self,
        method: &'static str,
        route: &str,
        status: StatusCode,
        elapsed: Duration,
    ) {
        let labels = RouteLabels {
            method,
            route: route.to_owned(),
        };
        self.seconds
            .get_or_create(&labels)
            .observe(elapsed.as_secs_f64());
        let RouteLabels { method, route } = labels;
        self.requests
            .get_or_create(&RequestLabels {
                method,
                route,
                status: status.as_u16(),
            })
            .inc();
    }

    /// Counts an attempt to post to a webhook.
    pub(super) fn count_delivery(&self, is_taken: bool) {
        let outcome = if is_taken { "taken" } else { "failed" };
        self.deliveries
            .get_or_create(&DeliveryLabels { outcome })
            .inc();
    }

    /// Counts an attempt to post a notice.
    pub(super) fn count_notice(&self, outcome: &Outcome) {
        let outcome = match outcome {
            Outcome::Taken => "taken",
            Outcome::Gone => "gone",
            Outcome::Refused | Outcome::Later { .. } => "failed",
        };
        self.notices
            .get_or_create(&DeliveryLabels { outcome })
            .inc();
    }

    /// Everything, in the text form of OpenMetrics.
    pub(super) fn render(&self, http: &Http) -> Result<String, fmt::Error> {
        let mut house = Registry::with_prefix("wharf");
        house.register_collector(Box::new(House(http.clone())));
        let mut text = String::new();
        prometheus_client::encoding::text::encode_registry(&mut text, &self.registry)?;
        prometheus_client::encoding::text::encode_registry(&mut text, &house)?;
        prometheus_client::encoding::text::encode_eof(&mut text)?;
        Ok(text)
    }
}

/// The listener's counters.
#[derive(Debug)]
struct Connections(Arc<Traffic>);

impl Collector for Connections {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self(traffic) = self;
        counter(
            &mut encoder,
            "received_bytes",
            "Bytes received",
            traffic.received_bytes(),
        )?;
        counter(
            &mut encoder,
            "sent_bytes",
            "Bytes sent",
            traffic.sent_bytes(),
        )?;
        counter(
            &mut encoder,
            "connections",
            "Connections accepted",
            traffic.connections_total(),
        )?;
        gauge(
            &mut encoder,
            "connections_open",
            "Connections open",
            traffic.connections_open(),
        )
    }
}

/// What is read from the house when the metrics are asked for.
struct House(Http);

impl Debug for House {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("House")
    }
}

impl Collector for House {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self(http) = self;
        let help = "Memory lent to bodies on their way in";
        gauge(
            &mut encoder,
            "upload_memory_bytes",
            help,
            http.uploads().lent_bytes(),
        )?;
        let help = "Memory lent to bodies on their way out";
        gauge(
            &mut encoder,
            "download_memory_bytes",
            help,
            http.downloads().lent_bytes(),
        )?;
        gateways(&mut encoder, http)?;
        live(&mut encoder, &http.wharf().live().stats())?;
        database(&mut encoder, &http.wharf().db().stats())?;
        jobs(&mut encoder, &http.wharf().jobs().status())
    }
}

/// One figure of every gateway: its name, its help, its kind, and how it is read.
type GatewayFigure = (&'static str, &'static str, MetricType, fn(&Counted) -> u64);

const GATEWAY_FIGURES: [GatewayFigure; 9] = [
    (
        "gateway_connections_open",
        "Connections open at a gateway",
        MetricType::Gauge,
        |counted| counted.connections_open,
    ),
    (
        "gateway_connections",
        "Connections that a gateway took",
        MetricType::Counter,
        |counted| counted.connections_total,
    ),
    (
        "gateway_connections_refused",
        "Connections closed because their address had too many",
        MetricType::Counter,
        |counted| counted.connections_refused,
    ),
    (
        "gateway_frames",
        "Frames or datagrams that a gateway understood",
        MetricType::Counter,
        |counted| counted.frames,
    ),
    (
        "gateway_frames_garbled",
        "Frames or datagrams that a gateway did not understand",
        MetricType::Counter,
        |counted| counted.frames_garbled,
    ),
    (
        "gateway_received_bytes",
        "Bytes that a gateway received",
        MetricType::Counter,
        |counted| counted.received_bytes,
    ),
    (
        "gateway_sent_bytes",
        "Bytes that a gateway sent",
        MetricType::Counter,
        |counted| counted.sent_bytes,
    ),
    (
        "gateway_datagrams_dropped",
        "Datagrams that a gateway dropped because the house was busy",
        MetricType::Counter,
        |counted| counted.datagrams_dropped,
    ),
    (
        "gateway_kernel_drops",
        "Datagrams that the kernel dropped because a gateway did not take them in time",
        MetricType::Counter,
        |counted| counted.kernel_drops,
    ),
];

fn gateways(encoder: &mut DescriptorEncoder<'_>, http: &Http) -> fmt::Result {
    if http.gateways().is_empty() {
        return Ok(());
    }
    let counted: Vec<_> = http
        .gateways()
        .iter()
        .map(|(name, counters)| (name.text(), counters.read()))
        .collect();
    for (name, help, kind, read) in GATEWAY_FIGURES {
        let mut figures = encoder.encode_descriptor(name, help, None, kind)?;
        for (gateway, counted) in &counted {
            let labels = [("gateway", *gateway)];
            let figure = figures.encode_family(&labels)?;
            match kind {
                MetricType::Gauge => ConstGauge::new(read(counted)).encode(figure)?,
                _ => ConstCounter::new(read(counted)).encode(figure)?,
            }
        }
    }
    Ok(())
}

fn live(encoder: &mut DescriptorEncoder<'_>, stats: &LiveStats) -> fmt::Result {
    gauge(
        encoder,
        "live_connections",
        "Live connections",
        stats.connections,
    )?;
    gauge(
        encoder,
        "live_rooms",
        "Rooms that a live connection follows",
        stats.rooms,
    )?;
    counter(
        encoder,
        "live_frames",
        "Frames told, counted once for each live connection",
        stats.frames,
    )?;
    counter(
        encoder,
        "live_lags",
        "Times that a live connection was told where a log stands in place of its entries",
        stats.lags,
    )?;
    counter(
        encoder,
        "live_reads",
        "Times that entries were read from a log because nothing had brought them in time",
        stats.reads,
    )
}

fn database(encoder: &mut DescriptorEncoder<'_>, stats: &Stats) -> fmt::Result {
    counter(
        encoder,
        "db_commits",
        "Commits of the database",
        stats.commits,
    )?;
    counter(
        encoder,
        "db_writes",
        "Writes that commits made durable",
        stats.writes,
    )?;
    counter(
        encoder,
        "db_writes_failed",
        "Writes that answered an error",
        stats.writes_failed,
    )?;
    counter(encoder, "db_reads", "Reads answered", stats.reads)?;
    counter(
        encoder,
        "db_reads_failed",
        "Reads that answered an error",
        stats.reads_failed,
    )?;
    counter(
        encoder,
        "db_retries",
        "Transactions started again",
        stats.retries,
    )?;
    gauge(
        encoder,
        "db_writes_queued",
        "Writes that wait",
        stats.writes_queued,
    )?;
    gauge(
        encoder,
        "db_reads_queued",
        "Reads that wait",
        stats.reads_queued,
    )?;
    gauge(
        encoder,
        "db_wal_pages",
        "Pages in SQLite's log",
        stats.wal_pages,
    )?;
    gauge(
        encoder,
        "db_failed",
        "1 when the database's disk has failed",
        u64::from(stats.is_failed),
    )
}

fn jobs(encoder: &mut DescriptorEncoder<'_>, jobs: &[JobStatus]) -> fmt::Result {
    let help = "Units of work that a job has done";
    let mut units = encoder.encode_descriptor("job_units", help, None, MetricType::Counter)?;
    for job in jobs {
        ConstCounter::new(job.units_count).encode(units.encode_family(&[("job", job.name)])?)?;
    }
    let help = "Errors that a job has met";
    let mut errors = encoder.encode_descriptor("job_errors", help, None, MetricType::Counter)?;
    for job in jobs {
        ConstCounter::new(job.errors_count).encode(errors.encode_family(&[("job", job.name)])?)?;
    }
    let help = "Errors since a job's last unit that succeeded";
    let mut in_row =
        encoder.encode_descriptor("job_errors_in_row", help, None, MetricType::Gauge)?;
    for job in jobs {
        let errors = u64::from(job.errors_in_row);
        ConstGauge::new(errors).encode(in_row.encode_family(&[("job", job.name)])?)?;
    }
    Ok(())
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let metric = ConstCounter::new(value);
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    let metric = ConstGauge::new(value);
    metric.encode(encoder.encode_descriptor(name, help, None, metric.metric_type())?)
}
