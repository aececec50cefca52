//! What Prometheus has measured, by its HTTP API.

use std::{collections::HashMap, io::Read, time::Duration};

use anyhow::{Context, Result, bail, ensure};
use lanes::graph::Sample;
use reqwest::{Url, blocking::Client};
use serde::{Deserialize, de::IgnoredAny};

/// What docs/metrics.md records: all requests of a lane but those that fell back, and those that did.
pub(super) const QUERY: &str = r#"label_replace(
  sum by (service, namespace, lane) (lanes:requests:rate5m{group="{group}"})
    - (sum by (service, namespace, lane) (lanes:fallbacks:rate5m{group="{group}"})
      or sum by (service, namespace, lane) (lanes:requests:rate5m{group="{group}"}) * 0),
  "answered", "$1", "lane", "(.*)")
or sum by (service, namespace, lane, answered) (lanes:fallbacks:rate5m{group="{group}"})"#;

const TIMEOUT: Duration = Duration::from_secs(30);
/// A lane group's answer has a hundred bytes for each service and lane.
const MAX_ANSWER: u64 = 16 << 20;

/// As documented: <https://prometheus.io/docs/prometheus/latest/querying/api/>.
#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Answer {
    Success { data: Data },
    Error { error: String },
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Data {
    Vector(Vec<Series>),
    Matrix(IgnoredAny),
    Scalar(IgnoredAny),
    String(IgnoredAny),
}

#[derive(Deserialize)]
struct Series {
    metric: HashMap<String, String>,
    /// When, and how many.
    value: (f64, String),
}

/// Asks for the value that a query has now.
pub(super) fn samples(url: &str, query: &str) -> Result<Vec<Sample>> {
    let asked = || -> Result<Answer> {
        let mut address: Url = url.parse().context("expected a url such as http://127.0.0.1:9090")?;
        address.path_segments_mut().ok().context("it has no path")?.pop_if_empty().extend(["api", "v1", "query"]);
        address.query_pairs_mut().append_pair("query", query);
        let client = Client::builder().timeout(TIMEOUT).build()?;
        let response = client.get(address).send().map_err(reqwest::Error::without_url)?;
        let status = response.status();
        let mut body = Vec::new();
        response.take(MAX_ANSWER + 1).read_to_end(&mut body)?;
        ensure!(body.len() as u64 <= MAX_ANSWER, "the answer has more than {} MiB", MAX_ANSWER >> 20);
        serde_json::from_slice(&body).with_context(|| format!("the answer, of status {status}, is not Prometheus'"))
    };
    match asked().with_context(|| format!("failed to ask {url}"))? {
        Answer::Error { error } => bail!("{url}: {error}"),
        Answer::Success { data: Data::Vector(series) } => series.iter().map(sample).collect(),
        Answer::Success { .. } => bail!("{url}: the query does not give an instant vector"),
    }
}

fn sample(series: &Series) -> Result<Sample> {
    let label = |name: &str| series.metric.get(name).cloned().unwrap_or_default();
    let rate = series.value.1.parse().with_context(|| format!("`{}` is no number", series.value.1))?;
    let [service, namespace, lane, answered] = ["service", "namespace", "lane", "answered"].map(label);
    Ok(Sample { service, namespace, lane, answered, rate })
}
