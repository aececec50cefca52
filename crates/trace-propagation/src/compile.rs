//! From a configuration as written to a [`Propagator`]: accepted whole, or refused whole with everything that is wrong.

use header_edit::{Direction, HeaderName, HeaderValue};
use plugin_config::{Problem, Refused, WholeNumber, read};

use crate::{
    Counter, Propagator, WAYS,
    config::{Config, DirectionConfig},
    id::IdFormat,
    table::{Geometry, Table},
};

/// With ids and tags of every length that is allowed, this many slots are about half a gigabyte.
const MAX_SLOTS: u32 = 1 << 20;

/// One line of the table names them all, and a request reads each.
const MAX_ROUTE_HEADERS: usize = 16;

/// Not inlined: the filter's shell is compiled for speed, and this is not on a request's path.
#[inline(never)]
pub(crate) fn compile(json: &[u8], pod_label: impl FnOnce(&str) -> Option<Vec<u8>>) -> Result<Propagator, Refused> {
    let config: Config = read(json).map_err(|problem| Refused(vec![problem]))?;
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let trace_header = header(&mut errors, "traceHeader", &config.trace_header);
    let route_headers = route_headers(&mut errors, &config, trace_header.as_ref());
    let geometry = geometry(&mut errors, &config);
    let pod_tag = config.label_tag.and_then(|label| {
        check_label(&mut errors, &label, config.route_headers.len());
        pod_tag(&mut warnings, &label, pod_label(&label))
    });
    let (Some(trace_header), true) = (trace_header, errors.is_empty()) else { return Err(Refused(errors)) };
    Ok(Propagator {
        table: Table::new(&trace_header, &route_headers, geometry),
        id_format: IdFormat::of(&trace_header),
        trace_header,
        route_headers,
        pod_tag,
        direction: match config.direction {
            DirectionConfig::Auto => None,
            DirectionConfig::Inbound => Some(Direction::Inbound),
            DirectionConfig::Outbound => Some(Direction::Outbound),
        },
        counters: Counter::ALL.map(Counter::name).to_vec(),
        warnings,
    })
}

fn header(errors: &mut Vec<Problem>, path: impl Into<String>, name: &str) -> Option<HeaderName> {
    HeaderName::parse(name).map_err(|error| errors.push(Problem::new(path, error.to_string()))).ok()
}

fn route_headers(errors: &mut Vec<Problem>, config: &Config, trace_header: Option<&HeaderName>) -> Vec<HeaderName> {
    let mut names: Vec<HeaderName> = Vec::new();
    if config.route_headers.is_empty() || config.route_headers.len() > MAX_ROUTE_HEADERS {
        let message = format!("expected 1 to {MAX_ROUTE_HEADERS} headers, not {}", config.route_headers.len());
        errors.push(Problem::new("routeHeaders", message));
    }
    for (index, name) in config.route_headers.iter().enumerate() {
        let path = format!("routeHeaders[{index}]");
        let Some(name) = header(errors, path.clone(), name) else { continue };
        if Some(&name) == trace_header {
            errors.push(Problem::new(path, "the trace header cannot be a route header as well"));
        } else if names.contains(&name) {
            errors.push(Problem::new(path, "the same header is named before: leave it out"));
        } else {
            names.push(name);
        }
    }
    names
}

fn geometry(errors: &mut Vec<Problem>, config: &Config) -> Geometry {
    let WholeNumber(slots) = config.slots;
    let ways = u32::try_from(WAYS).unwrap_or(u32::MAX);
    if slots == 0 || !slots.is_multiple_of(ways) || slots > MAX_SLOTS {
        let message = format!("expected a multiple of {ways} from {ways} to {MAX_SLOTS}, not {slots}");
        errors.push(Problem::new("slots", message));
    }
    let WholeNumber(ttl_seconds) = config.ttl_seconds;
    if ttl_seconds == 0 {
        errors.push(Problem::new("ttlSeconds", "expected 1 to 4294967295 seconds, not 0"));
    }
    Geometry { sets: slots / ways, ttl_seconds }
}

fn check_label(errors: &mut Vec<Problem>, label: &str, route_headers: usize) {
    if label.is_empty() || !label.bytes().all(|byte| byte.is_ascii_graphic()) {
        errors.push(Problem::new("labelTag", "expected the name of a label, such as ASM_TRAFFIC_TAG"));
    }
    if route_headers > 1 {
        let message = "a label has one value: give one route header, or leave the label out";
        errors.push(Problem::new("labelTag", message));
    }
}

fn pod_tag(warnings: &mut Vec<Problem>, label: &str, value: Option<Vec<u8>>) -> Option<HeaderValue> {
    let tag = value.and_then(|value| HeaderValue::parse(value).ok()).filter(|tag| !tag.as_bytes().is_empty());
    if tag.is_none() {
        let message = format!("this pod has no label {label} with a value: it gives requests no tag");
        warnings.push(Problem::new("labelTag", message));
    }
    tag
}
