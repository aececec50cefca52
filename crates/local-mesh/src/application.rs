//! The sample application, as a lane group needs it.

use std::collections::BTreeMap;

use lanes::{
    document::{LaneGroup, Propagation},
    render::envoy::{OUTBOUND_PORT, Options, Pod},
};

/// The variables of an environment.
pub type Environment = BTreeMap<String, String>;

/// Nothing is exported: what is shown is that baggage goes on.
const OPENTELEMETRY: [(&str, &str); 4] = [
    ("OTEL_PROPAGATORS", "baggage"),
    ("OTEL_TRACES_EXPORTER", "none"),
    ("OTEL_METRICS_EXPORTER", "none"),
    ("OTEL_LOGS_EXPORTER", "none"),
];

/// Whether the application must run under OpenTelemetry, because that is what carries the lane through it.
#[must_use]
pub fn is_instrumented(group: &LaneGroup) -> bool {
    matches!(group.spec.propagation(), Propagation::Baggage(_))
}

/// The environment of the application in a pod: it calls the next service of the group, and forwards what the group expects
/// an application to forward, and nothing else.
#[must_use]
pub fn environment(group: &LaneGroup, pod: &Pod) -> Environment {
    let port = Options::default().application_port;
    let services = group.spec.services.iter();
    let next = services.skip_while(|service| service.name != pod.service.name).nth(1);
    let mut variables: Vec<(&str, String)> = vec![
        ("NAME", pod.service.name.clone()),
        ("VERSION", version(pod)),
        ("LISTEN", format!("{}:{port}", pod.local)),
    ];
    if let Some((next, port)) = next.and_then(|next| Some((next, next.ports().into_iter().next()?))) {
        variables.push(("UPSTREAM_URL", format!("http://{}:{}/mock", next.name, port.number)));
        variables.push(("HTTP_PROXY", format!("http://{}:{OUTBOUND_PORT}", pod.local)));
    }
    match group.spec.propagation() {
        Propagation::Trace(trace) => variables.push(("FORWARD_HEADERS", trace.header)),
        Propagation::Application => variables.push(("FORWARD_HEADERS", group.spec.route_header.clone())),
        Propagation::Baggage(_) => variables.extend(OPENTELEMETRY.map(|(name, value)| (name, value.to_owned()))),
        Propagation::SourceLabels => {}
    }
    variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What the lane's labels say of the pod's version.
fn version(pod: &Pod) -> String {
    let labels = &pod.lane.labels;
    labels.get("version").or_else(|| labels.values().next()).unwrap_or(&pod.lane.name).clone()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use lanes::render::envoy::Placement;

    use super::*;

    fn environments(propagation: &str) -> Vec<Environment> {
        let text = include_str!("../../../manifests/permissive/lane-group.yaml");
        let text = text.replace("propagation: application", &format!("propagation: {propagation}"));
        let group = lanes::file::read("group", &text).groups.remove(0);
        let pods = Placement::Loopback.pods(&group).unwrap();
        pods.iter().map(|pod| environment(&group, pod)).collect()
    }

    #[test]
    fn each_service_calls_the_next_through_its_sidecar() {
        let all = environments("application");
        let first = |variable: &str| all[0].get(variable).map(String::as_str);
        assert_eq!(first("LISTEN"), Some("127.0.1.11:8080"));
        assert_eq!(first("UPSTREAM_URL"), Some("http://mockb:8000/mock"));
        assert_eq!(first("HTTP_PROXY"), Some("http://127.0.1.11:15001"));
        assert_eq!((first("NAME"), first("VERSION")), (Some("mocka"), Some("v1")));
        assert_eq!(all[8]["VERSION"], "v3");
        assert!(!all[8].contains_key("UPSTREAM_URL"), "the last of the chain");
    }

    #[test]
    fn an_application_forwards_what_the_group_expects_and_nothing_else() {
        let forwarded = |propagation: &str| environments(propagation)[0].get("FORWARD_HEADERS").cloned();
        assert_eq!(forwarded("application"), Some("x-asm-prefer-tag".to_owned()));
        assert_eq!(forwarded("{trace: {header: x-request-id}}"), Some("x-request-id".to_owned()));
        assert_eq!(forwarded("{baggage: {}}"), None);
        assert_eq!(forwarded("sourceLabels"), None);
    }
}
