//! Lanes by weight.

use super::{asm::RequestMatch, group::Importer};
use crate::{
    document::{Route, RouteMatch, Weight},
    yaml::element,
};

const ROUTING: &str = "spec.ingress.ingressRouting";

impl<'a> Importer<'a> {
    /// Whether the group goes by weights, and not by the rules of its lanes.
    pub(super) fn is_weighted(&mut self) -> bool {
        let group = self.group;
        let routing = &group.object.spec.ingress.ingress_routing;
        let rule = &routing.weighted_routing_rule;
        match routing.ingress_routing_strategy.as_str() {
            "weighted" => return true,
            "" | "rule_based" => {}
            other => {
                let message =
                    format!("`{other}` is no strategy that is known of ASM: imported by the rules of the lanes");
                self.lost(&group.place, &format!("{ROUTING}.ingressRoutingStrategy"), message);
            }
        }
        if !rule.hosts.is_empty() || !rule.request_matches.is_empty() {
            let message = "the group goes by the rules of its lanes, so this is not in force";
            self.lost(&group.place, &format!("{ROUTING}.weightedRoutingRule"), message);
        }
        false
    }

    /// The one route, the hosts that it is for, and the shares.
    pub(super) fn weighted(&mut self) -> (Vec<Route>, Vec<String>, Vec<Weight>) {
        let rule = &self.group.object.spec.ingress.ingress_routing.weighted_routing_rule;
        let (service, weights) = self.shares();
        let hosts = if rule.hosts.is_empty() { vec!["*".to_owned()] } else { rule.hosts.clone() };
        let (Some(service), Some(conditions)) = (service, self.conditions(&rule.request_matches)) else {
            self.lost(&self.group.place, ROUTING, "nothing enters the lanes that way: add spec.routes");
            return (Vec::new(), hosts, weights);
        };
        let (name, service) = ("weighted".to_owned(), service.to_owned());
        (
            vec![Route { name, service: Some(service), r#match: conditions, ..Route::default() }],
            hosts,
            of_a_hundred(weights),
        )
    }

    /// The service that all lanes take a share of, and the shares.
    fn shares(&mut self) -> (Option<&'a str>, Vec<Weight>) {
        let (mut service, mut weights) = (None, Vec::new());
        for lane in self.lanes.clone() {
            for index in 0..lane.object.spec.ingress_rules.len() {
                let message = "the group goes by weights, so the rule is not in force";
                self.lost(&lane.place, &element("spec.ingressRules", index), message);
            }
            let share = &lane.object.spec.ingress_weight;
            if share.weight == 0 {
                continue;
            }
            let path = "spec.ingressWeight.destination.host";
            let Some(to) = self.destination(&lane.place, path, &share.destination.host) else { continue };
            let first = *service.get_or_insert(to);
            if first != to {
                let message = format!("`{to}`, where another lane has `{first}`: one route leads to one service");
                self.lost(&lane.place, path, message);
            }
            weights.push(Weight { lane: lane.name().to_owned(), weight: share.weight });
        }
        (service, weights)
    }

    /// The conditions, of which one must hold; empty if one of them asks nothing, and `None` if none can be said.
    fn conditions(&mut self, asked: &[RequestMatch]) -> Option<Vec<RouteMatch>> {
        let path = |index| element(&format!("{ROUTING}.weightedRoutingRule.requestMatches"), index);
        let place = &self.group.place;
        let said: Vec<Option<RouteMatch>> =
            asked.iter().enumerate().filter_map(|(index, asked)| self.condition(place, &path(index), asked)).collect();
        let is_said = asked.is_empty() || !said.is_empty();
        is_said.then(|| said.into_iter().collect::<Option<Vec<_>>>().unwrap_or_default())
    }
}

/// Weights that are not of a hundred, as Istio takes them too, where that comes out even.
fn of_a_hundred(weights: Vec<Weight>) -> Vec<Weight> {
    let sum: u64 = weights.iter().map(|weight| u64::from(weight.weight)).sum();
    let share = |weight: &Weight| {
        let hundredfold = u64::from(weight.weight) * 100;
        (sum > 0 && hundredfold % sum == 0).then(|| hundredfold / sum).and_then(|share| u32::try_from(share).ok())
    };
    match weights.iter().map(share).collect::<Option<Vec<u32>>>() {
        Some(shares) => {
            weights.into_iter().zip(shares).map(|(weight, share)| Weight { weight: share, ..weight }).collect()
        }
        None => weights,
    }
}
