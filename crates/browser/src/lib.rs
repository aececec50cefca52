//! A headless Chromium, told what to do by its DevTools protocol: for the test of the page and its pictures.
//!
//! Chromium speaks the protocol over two pipes as well as over a WebSocket. Over pipes nobody else on the machine can speak to it,
//! and what it takes is a process and JSON.

mod pipe;

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use pipe::Pipe;

/// One tab of one browser; dropping it ends the browser.
#[derive(Debug)]
pub struct Tab {
    pipe: Pipe,
    session: String,
}

/// How large the window is, and what its user prefers.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// In pixels of CSS.
    pub width: u32,
    /// In pixels of CSS.
    pub height: u32,
    /// Whether dark colours are preferred.
    pub is_dark: bool,
    /// Whether nothing is to move.
    pub is_still: bool,
}

impl Tab {
    /// Starts the browser with an empty tab.
    ///
    /// # Errors
    ///
    /// It does not start, or does not speak the protocol.
    pub fn open(chromium: &Path) -> Result<Self> {
        let mut pipe = Pipe::start(chromium)?;
        let target = pipe.call(None, "Target.createTarget", json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": text(&target, "targetId")?, "flatten": true});
        let session = text(&pipe.call(None, "Target.attachToTarget", attach)?, "sessionId")?;
        let mut tab = Self { pipe, session };
        for domain in ["Page", "Runtime", "Network", "Log", "Accessibility"] {
            tab.call(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(tab)
    }

    /// Has the window be like that.
    ///
    /// # Errors
    ///
    /// The browser refuses, as for all that follow.
    pub fn resize(&mut self, window: Window) -> Result<()> {
        let Window { width, height, is_dark, is_still } = window;
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics)?;
        let features = json!([
            {"name": "prefers-color-scheme", "value": if is_dark { "dark" } else { "light" }},
            {"name": "prefers-reduced-motion", "value": if is_still { "reduce" } else { "no-preference" }},
        ]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).map(drop)
    }

    /// Goes to an address.
    pub fn go(&mut self, url: &str) -> Result<()> {
        let went = self.call("Page.navigate", json!({ "url": url }))?;
        match went.get("errorText").and_then(Value::as_str) {
            Some(error) => bail!("{url}: {error}"),
            None => Ok(()),
        }
    }

    /// What an expression is, once it is no promise.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let wanted = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let evaluated = self.call("Runtime.evaluate", wanted)?;
        if let Some(exception) = evaluated.get("exceptionDetails") {
            bail!("{expression}: {exception}");
        }
        Ok(evaluated.pointer("/result/value").cloned().unwrap_or_default())
    }

    /// Moves the mouse to each point, the button pressed from the first to the last.
    pub fn drag(&mut self, points: &[(f64, f64)]) -> Result<()> {
        let ends = points.first().zip(points.last());
        let (first, last) = ends.context("a way has points")?;
        self.mouse("mouseMoved", *first, 0)?;
        self.mouse("mousePressed", *first, 1)?;
        for point in points {
            self.mouse("mouseMoved", *point, 1)?;
        }
        self.mouse("mouseReleased", *last, 0)
    }

    /// Presses a key, such as `ArrowRight`, and lets it go.
    pub fn press(&mut self, key: &str, code: u32) -> Result<()> {
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            self.call("Input.dispatchKeyEvent", event)?;
        }
        Ok(())
    }

    /// Types a text where the focus is.
    pub fn write(&mut self, text: &str) -> Result<()> {
        self.call("Input.insertText", json!({ "text": text })).map(drop)
    }

    /// Role and name of everything that somebody who cannot see is told of.
    pub fn accessible(&mut self) -> Result<Vec<(String, String)>> {
        let tree = self.call("Accessibility.getFullAXTree", json!({}))?;
        let nodes = tree.get("nodes").and_then(Value::as_array).cloned().unwrap_or_default();
        let seen = nodes.iter().filter(|node| node.get("ignored") != Some(&Value::Bool(true)));
        let said =
            |node: &Value, pointer: &str| node.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(seen.map(|node| (said(node, "/role/value"), said(node, "/name/value"))).collect())
    }

    /// The window as a PNG.
    pub fn picture(&mut self) -> Result<Vec<u8>> {
        let taken = self.call("Page.captureScreenshot", json!({"format": "png"}))?;
        Ok(BASE64_STANDARD.decode(text(&taken, "data")?)?)
    }

    /// Every address that was asked for.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        let asked = self.events("Network.requestWillBeSent");
        asked.filter_map(|event| Some(event.pointer("/request/url")?.as_str()?.to_owned())).collect()
    }

    /// What the page complained of: exceptions, errors of the console, what its policy forbade.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let thrown = self.events("Runtime.exceptionThrown").map(Value::to_string);
        let logged = self.events("Log.entryAdded").chain(self.events("Runtime.consoleAPICalled"));
        let is_error = |event: &&Value| {
            let level = event.pointer("/entry/level").or_else(|| event.get("type")).and_then(Value::as_str);
            matches!(level, Some("error" | "warning"))
        };
        thrown.chain(logged.filter(is_error).map(Value::to_string)).collect()
    }

    fn mouse(&mut self, kind: &str, (x, y): (f64, f64), buttons: u32) -> Result<()> {
        let button = if kind == "mouseMoved" && buttons == 0 { "none" } else { "left" };
        let event = json!({"type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1});
        self.call("Input.dispatchMouseEvent", event).map(drop)
    }

    fn events<'a>(&'a self, method: &'a str) -> impl Iterator<Item = &'a Value> {
        self.pipe
            .events()
            .iter()
            .filter(move |event| event.get("method").is_some_and(|name| name == method))
            .filter_map(|event| event.get("params"))
    }

    fn call(&mut self, method: &str, parameters: Value) -> Result<Value> {
        self.pipe.call(Some(&self.session), method, parameters)
    }
}

/// How long the browser may take for one thing: longer than a page that waits for a pod to start.
const PATIENCE: Duration = Duration::from_secs(60);

fn text(value: &Value, field: &str) -> Result<String> {
    let text = value.get(field).and_then(Value::as_str);
    text.map(str::to_owned).with_context(|| format!("no {field} in {value}"))
}
