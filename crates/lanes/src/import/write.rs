//! A lane group as YAML: fields in the order of their documentation, one line for each thing, comments above.

use serde::Serialize;
use serde_saphyr::FlowMap;

use super::notes::Comments;
use crate::{
    document::LaneGroup,
    escape::{Escaped, filled},
    json::without_nulls,
};

/// The width of comments.
const WIDTH: usize = 101;

/// The lane group's text.
///
/// # Errors
/// None that is known: what is written are texts and numbers.
pub(super) fn write(group: &LaneGroup, comments: &Comments) -> anyhow::Result<String> {
    let spec = &group.spec;
    let text = format!(
        "# From ASM's lane group `{}`, by `lanes import`.\napiVersion: trafficlanes.dev/v1alpha1\nkind: LaneGroup\n\
        metadata: {}\nspec:\n",
        Escaped(&group.metadata.name),
        flow(&group.metadata)?
    );
    let mut writer = Writer { text, comments };
    writer.line("mode", &spec.mode)?;
    writer.line("gateway", &spec.gateway)?;
    writer.line("routeHeader", &spec.route_header)?;
    if let Some(propagation) = &spec.propagation {
        writer.line("propagation", propagation)?;
    }
    writer.list("services", &spec.services)?;
    writer.line("baseline", &spec.baseline)?;
    writer.list("lanes", &spec.lanes)?;
    writer.list("routes", &spec.routes)?;
    if let Some(assign) = &spec.assign {
        writer.line("assign", assign)?;
    }
    if let Some(clients) = &spec.clients {
        writer.line("clients", clients)?;
    }
    Ok(writer.text)
}

struct Writer<'a> {
    text: String,
    comments: &'a Comments,
}

impl Writer<'_> {
    fn line(&mut self, name: &str, value: &impl Serialize) -> anyhow::Result<()> {
        self.comment(name);
        self.text += &format!("  {name}: {}\n", flow(value)?);
        Ok(())
    }

    fn list(&mut self, name: &str, values: &[impl Serialize]) -> anyhow::Result<()> {
        self.comment(name);
        if values.is_empty() {
            self.text += &format!("  {name}: []\n");
            return Ok(());
        }
        self.text += &format!("  {name}:\n");
        for value in values {
            self.text += &format!("  - {}\n", flow(value)?);
        }
        Ok(())
    }

    fn comment(&mut self, name: &str) {
        for comment in self.comments.get(name).into_iter().flatten() {
            self.text += &filled(comment, "  # ", WIDTH);
        }
    }
}

/// A value on one line, quoted for readers of YAML 1.1 as well.
///
/// Of JSON: in flow style, serde-saphyr 2.0 writes a variant that holds something as `{uri: exact: /}`.
fn flow(value: &impl Serialize) -> anyhow::Result<String> {
    let value = without_nulls(serde_json::to_value(value)?);
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    Ok(serde_saphyr::to_string_with_options(&FlowMap(&value), options)?.trim_end().to_owned())
}
