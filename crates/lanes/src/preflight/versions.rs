//! Which Istio it is.

use super::{
    Preflight,
    anchor::Anchor,
    asked::holds_unready,
    cluster::{Container, Deployment, Named},
    finding::{Finding, Object},
    mesh::variable,
    ownership::{Owner, owner},
};

/// The oldest and the newest that the renderings were tried on.
const OLDEST: (u32, u32) = (1, 28);
const NEWEST: (u32, u32) = (1, 31);
/// The first that sends pods that are not ready.
const SENDS_UNREADY: (u32, u32) = (1, 31);

impl<'a> Preflight<'a> {
    pub(super) fn versions(&mut self) {
        self.gateway_api();
        if self.mesh.istiods.is_empty() && self.cluster.has_listed("deployments") {
            self.unknown(
                Object::from(("Deployment", &self.mesh.root_namespace, "istiod")),
                "there is no control plane among the Deployments",
            );
        }
        for istiod in &self.mesh.istiods {
            let object = Object::from(("Deployment", &istiod.metadata));
            match version(istiod) {
                Some(version) => {
                    self.as_asked(object.clone(), version);
                    self.version(istiod, object, version);
                }
                None => self.unknown(object, "neither its image nor its labels say a version"),
            }
        }
    }

    /// Istio has a GatewayClass of its name wherever Gateway API's resources are installed.
    fn gateway_api(&mut self) {
        let has_class = self.cluster.gateway_classes.iter().any(|class| class.metadata.name == "istio");
        if self.asked.has_subsets() || has_class {
            return;
        }
        let happens = "nothing says that the cluster has Gateway API and that Istio looks after it: without, the group cannot be applied";
        let remedy = "install Gateway API's resource definitions, or spec.mesh.routing: virtualService";
        self.find(Anchor::GatewayApiUnknown, ("GatewayClass", "", "istio"), happens, remedy);
    }

    fn unknown(&mut self, object: Object, why: &str) {
        let happens = format!(
            "which Istio it is, is not known: {why}. The renderings are for {} to {}",
            told(OLDEST),
            told(NEWEST)
        );
        let remedy = "`istioctl version` says it";
        self.find(Anchor::IstioUnknown, object, happens, remedy);
    }

    fn version(&mut self, istiod: &Named<Deployment>, object: Object, version: (u32, u32)) {
        let name = told(version);
        if version < OLDEST {
            let happens = format!(
                "Istio {name} is older than what the renderings were tried on ({}): lanes may not fall back, or lose requests when a pod fails",
                told(OLDEST)
            );
            self.find(Anchor::IstioTooOld, object, happens, "upgrade Istio");
        } else if version > NEWEST {
            let happens = format!(
                "Istio {name} is newer than what the renderings were tried on ({}): nothing is known to be wrong with it",
                told(NEWEST)
            );
            let remedy = "try the group where it does no harm";
            self.find(Anchor::IstioTooNew, object, happens, remedy);
        } else if self.asked.falls_back && sends_unready(istiod, version) {
            self.sends_unready(object, &name);
        }
    }

    /// Lanes hold if every subset says `minHealthPercent`.
    fn sends_unready(&mut self, object: Object, version: &str) {
        let is_own = |meta| owner(self.asked, meta) == Owner::Own;
        let mut own = self.cluster.destination_rules.iter().filter(|rule| is_own(&rule.metadata)).peekable();
        let is_applied = own.peek().is_some();
        if is_applied && own.all(|rule| holds_unready(&rule.spec)) {
            return;
        }
        let spills = "while one of three pods of a lane is ready, half of the lane's requests go to the baseline, on every rolling update";
        let sends = format!("Istio {version} sends pods that are not ready, as unhealthy");
        if is_applied {
            let happens =
                format!("{sends}, and the DestinationRules that are applied do not say minHealthPercent: {spills}");
            self.find(Anchor::IstioSendsUnready, object, happens, "render the group anew and apply it");
            return;
        }
        let happens = format!(
            "{sends}. What is rendered holds the lanes with minHealthPercent; files rendered for 1.30 and before do not: {spills}"
        );
        let remedy = "apply what this version of the tool renders, no older files";
        self.findings.push(Finding::new(Anchor::IstioSendsUnready, object, happens, remedy).only_warns());
    }

    /// What the document says counts where something is rendered for it alone.
    fn as_asked(&mut self, object: Object, (major, minor): (u32, u32)) {
        let Some(asked) = self.asked.mesh().istio else { return };
        let is_older = parsed(&asked.to_string()).is_some_and(|asked| (major, minor) < asked);
        if !is_older {
            return;
        }
        let happens = format!(
            "the group is for Istio {asked} and this is {}: {}",
            told((major, minor)),
            if asked.has_traffic_extension() && minor < 30 {
                "it has no TrafficExtension, so the filters cannot be applied and no request gets a tag"
            } else {
                "what is rendered may need what it does not have"
            }
        );
        let remedy = format!(
            "spec.mesh.istio: \"{}\", or leave it out: what is rendered is for all of them then",
            told((major, minor))
        );
        self.find(Anchor::IstioOlderThanAsked, object, happens, remedy);
    }
}

fn sends_unready(istiod: &Named<Deployment>, version: (u32, u32)) -> bool {
    let by_default =
        version >= SENDS_UNREADY && variable(istiod, "PILOT_AUTO_SEND_UNHEALTHY_ENDPOINTS") != Some("false");
    by_default || variable(istiod, "PILOT_SEND_UNHEALTHY_ENDPOINTS") == Some("true")
}

/// As the image says it, or the labels that Istio's charts set.
fn version(istiod: &Named<Deployment>) -> Option<(u32, u32)> {
    let template = &istiod.spec.template;
    let is_pilot = |container: &&Container| container.name == "discovery" || container.image.contains("/pilot");
    let images = template.spec.containers.iter().filter(is_pilot).filter_map(|container| tag(&container.image));
    let labels = ["app.kubernetes.io/version", "operator.istio.io/version", "helm.sh/chart"];
    let metas = [&istiod.metadata, &template.metadata];
    let labels = metas.into_iter().flat_map(|meta| labels.into_iter().filter_map(|key| meta.label(key)));
    images.chain(labels).find_map(parsed)
}

fn tag(image: &str) -> Option<&str> {
    let image = image.split('@').next().unwrap_or(image);
    image.rsplit('/').next()?.split_once(':').map(|(_, tag)| tag)
}

/// The two numbers of `1.30.3`, `v1.30`, `1.31.0-rc.0-distroless` or `istiod-1.30.3`.
fn parsed(text: &str) -> Option<(u32, u32)> {
    let text = text.strip_prefix("istiod-").unwrap_or(text);
    let mut numbers = text.strip_prefix('v').unwrap_or(text).split(['.', '-', '_', '+']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn told((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_tags_and_labels() {
        let of_image = |image| tag(image).and_then(parsed);
        assert_eq!(of_image("registry.example.com/istio/pilot:1.30.3"), Some((1, 30)));
        assert_eq!(of_image("registry.example.com:5000/istio/pilot:1.31.0-rc.0-distroless@sha256:00"), Some((1, 31)));
        assert_eq!(of_image("localhost:5000/pilot@sha256:00"), None);
        assert_eq!((parsed("istiod-1.28.1"), parsed("v1.9"), parsed("latest")), (Some((1, 28)), Some((1, 9)), None));
    }
}
