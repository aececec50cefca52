//! `lanes render`.

mod behind;
mod envoy;
mod envoy_gateway;
mod folder;
mod gateway_api;
mod higress;
mod istio;
mod prometheus;
mod resources;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Target {
    /// Resources for upstream Istio (1.28 to 1.31), in the order of application
    #[command(after_help = "Example:\n  lanes render istio group.yaml --image 'oci://ghcr.io/acme/{module}:1.0' | \
        kubectl apply -f -\n  lanes render istio group.yaml --output lanes && kubectl apply -k lanes\n  \
        lanes render istio group.yaml --delete | kubectl delete -f -")]
    Istio(istio::Istio),
    /// Resources for a Higress gateway (2.2), in the order of application
    #[command(after_help = "Example:\n  lanes render higress group.yaml --image 'oci://ghcr.io/acme/{module}:1.0' | \
        kubectl apply -f -\n  lanes render higress group.yaml --mesh istio --output lanes && kubectl apply -k lanes\n  \
        lanes render higress group.yaml --ingress --delete | kubectl delete -f -")]
    Higress(higress::Higress),
    /// Resources for an Envoy Gateway (1.9), in the order of application
    #[command(
        after_help = "Example:\n  lanes render envoy-gateway group.yaml --image 'oci://ghcr.io/acme/{module}:1.0' | \
        kubectl apply -f -\n  lanes render envoy-gateway group.yaml --output lanes && kubectl apply -k lanes\n  \
        lanes render envoy-gateway group.yaml --delete | kubectl delete -f -"
    )]
    EnvoyGateway(envoy_gateway::EnvoyGateway),
    /// Resources for any gateway that implements Gateway API (1.6): routes by the tag, without tagging and without fallback
    #[command(after_help = "Example:\n  lanes render gateway-api group.yaml --class cilium | kubectl apply -f -\n  \
        lanes render gateway-api group.yaml --delete | kubectl delete -f -\n\n\
        Gateway API has no filter that tags: what is in front of the gateway writes the route header.")]
    GatewayApi(gateway_api::GatewayApi),
    /// A configuration for every plain Envoy: the gateway, and the sidecar of every pod
    #[command(after_help = "Example:\n  lanes render envoy group.yaml --output lanes --modules ../dist\n  \
        cd lanes && envoy --disable-hot-restart -c gateway.yaml  # as one of several on this machine\n  \
        lanes render envoy group.yaml --output lanes --host '{service}-{lane}.internal.example.com'\n\n\
        Every Envoy runs in the folder: the files name each other. Replace a file there to change the lanes; no Envoy restarts.")]
    Envoy(envoy::Envoy),
    /// Recording rules for Prometheus: which services and lanes there are, and the shares that the lanes are to have
    #[command(after_help = "Example:\n  lanes render prometheus group.yaml > rules/group.yaml\n  \
        lanes render prometheus group.yaml --resource | kubectl apply -f -\n\n\
        The other rules, and the alerts, are the same for every group: manifests/observability. docs/metrics.md explains them.")]
    Prometheus(prometheus::Prometheus),
}

impl Target {
    pub(super) fn run(&self) -> Result<ExitCode> {
        match self {
            Self::Istio(istio) => istio.run(),
            Self::Higress(higress) => higress.run(),
            Self::EnvoyGateway(envoy_gateway) => envoy_gateway.run(),
            Self::GatewayApi(gateway_api) => gateway_api.run(),
            Self::Envoy(envoy) => envoy.run(),
            Self::Prometheus(prometheus) => prometheus.run(),
        }
    }
}
