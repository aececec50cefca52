//! Ingresses of Higress: for each route one to the baseline, and one for each lane, which counts for requests with its tag.
//!
//! What an annotation does is said by `pkg/ingress/kube/annotations/canary.go`: the path of the main Ingress with the condition on
//! the header, and behind the lane's Service the baseline's, while the lane's has no ready pod.

mod path;
mod way;

use serde_json::{Value, json};

use super::super::{File, Stage, lane_service, resource::Kind};
use crate::{
    document::{Lane, LaneGroup},
    json::given,
};

use path::Path;
use way::Way;

const COMMENT: &str = "What enters the lanes: for each route an Ingress to the baseline, and one for each lane, for requests with its tag. Higress\n\
    sends those to the baseline while the lane's Service has no ready pod.";

/// The class that Higress takes Ingresses of, unless it is installed with another (`global.ingressClass`).
const CLASS: &str = "higress";

pub(super) fn file(group: &LaneGroup) -> anyhow::Result<File> {
    let mut file = File::new(group, Stage::Gateway, "50-ingresses.yaml", COMMENT);
    for way in way::ways(group)? {
        let namespace = group.namespace_of(way.service);
        let name = format!("{}.{}.{}", group.metadata.namespace, group.metadata.name, way.route.name);
        file.add(Kind::INGRESS, &name, namespace, ingress(group, &way, &group.spec.baseline))?;
        for lane in group.told_lanes(way.service) {
            let (name, pods) = (format!("{name}.{}", lane.name), group.pool(way.service, &lane.name));
            file.add_annotated(Kind::INGRESS, name, namespace, ingress(group, &way, pods.lane()), canary(group, lane))?;
        }
    }
    Ok(file)
}

fn canary(group: &LaneGroup, lane: &Lane) -> Value {
    json!({
        "higress.io/canary": "true",
        "higress.io/canary-by-header": group.spec.header(),
        "higress.io/canary-by-header-value": lane.name,
    })
}

/// To the pods of a lane.
fn ingress(group: &LaneGroup, way: &Way<'_>, lane: &str) -> Value {
    let backend = json!({"service": {"name": lane_service::name(way.service, lane), "port": {"number": way.port}}});
    let path = |path: &Path| {
        let (kind, path) = match path {
            Path::Any => ("Prefix", "/"),
            Path::Exact(path) => ("Exact", path.as_str()),
            Path::Below(path) => ("Prefix", path.as_str()),
        };
        json!({"path": path, "pathType": kind, "backend": backend})
    };
    let paths: Vec<Value> = way.paths.iter().map(path).collect();
    let rule = |host: Option<&String>| given(json!({"host": host, "http": {"paths": paths}}));
    let gateway = group.spec.gateway.iter();
    let rules: Vec<Value> = match gateway.clone().find(|gateway| gateway.serves_every_host()) {
        Some(_) => vec![rule(None)],
        None => gateway.flat_map(|gateway| &gateway.hosts).map(|host| rule(Some(host))).collect(),
    };
    json!({"ingressClassName": CLASS, "rules": rules})
}
