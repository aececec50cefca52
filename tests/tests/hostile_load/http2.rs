//! The same by HTTP/2: connections that stay, and many requests on each at once.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use bytes::Bytes;
use h2::client::{self, SendRequest};
use header_edit::{HeaderList, RequestHeaders};
use http::{HeaderName, HeaderValue, Request, Uri, Version};
use tokio::{net::TcpStream, runtime::Builder, task::JoinSet};

use super::{Target, draw};

const AT_ONCE: usize = 16;

pub(crate) fn attack(target: &Target, count: usize, seed: u64) -> Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut random = fastrand::Rng::with_seed(seed);
        let (alone, filtered) = (connect(target.alone).await?, connect(target.filtered).await?);
        let mut left = count;
        while left > 0 {
            let mut under_way = JoinSet::new();
            for _ in 0..left.min(AT_ONCE) {
                let request = draw::request(&mut random, false);
                let (alone, filtered) = (alone.clone(), filtered.clone());
                under_way.spawn(async move {
                    let answers = [send(alone, &request).await?, send(filtered, &request).await?];
                    anyhow::Ok((request, answers))
                });
            }
            left -= under_way.len();
            while let Some(answered) = under_way.join_next().await {
                let (request, answers) = answered??;
                target.judge(&request, &answers)?;
            }
        }
        Ok(())
    })
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Bytes>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut builder = client::Builder::new();
    builder.initial_window_size(1 << 20).initial_connection_window_size(1 << 24);
    let (client, connection) = builder.handshake(stream).await?;
    // Its end shows at the requests.
    tokio::spawn(connection);
    Ok(client)
}

async fn send(client: SendRequest<Bytes>, request: &HeaderList) -> Result<(u16, Vec<u8>)> {
    let (response, _) = client.ready().await?.send_request(parsed(request)?, true)?;
    let response = response.await.with_context(|| format!("{request:?}"))?;
    let (status, mut stream) = (response.status().as_u16(), response.into_body());
    let mut body = Vec::new();
    while let Some(part) = stream.data().await {
        let part = part?;
        stream.flow_control().release_capacity(part.len())?;
        body.extend_from_slice(&part);
    }
    Ok((status, body))
}

fn parsed(request: &HeaderList) -> Result<Request<()>> {
    let pseudo =
        |name| Ok::<_, anyhow::Error>(String::from_utf8(request.first(name).unwrap_or_default().into_owned())?);
    let uri =
        Uri::builder().scheme("http").authority(pseudo(":authority")?).path_and_query(pseudo(":path")?).build()?;
    let mut parsed =
        Request::builder().version(Version::HTTP_2).method(pseudo(":method")?.as_str()).uri(uri).body(())?;
    for (name, value) in request.lines().filter(|(name, _)| !name.starts_with(':')) {
        parsed.headers_mut().append(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_bytes(value)?);
    }
    Ok(parsed)
}
