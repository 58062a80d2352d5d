//! What objects are made of, as the Kubernetes API writes it: every field may be missing or `null`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hookscope::cluster::{CaBundle, Labels, ObjectName, Operator, PortRef, Requirement, Selector, Target};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Labels, a value of which may be missing.
pub(crate) type Map = BTreeMap<String, Option<String>>;

pub(crate) fn labels(map: Option<Map>) -> Labels {
    map.unwrap_or_default().into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect()
}

/// `clientConfig`, `webhookClientConfig`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientConfig {
    url: Option<String>,
    service: Option<ServiceReference>,
    ca_bundle: Option<String>,
}

/// A Service, a port and a path.
#[derive(Deserialize)]
pub(crate) struct ServiceReference {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
    port: Option<u16>,
    path: Option<String>,
}

impl ServiceReference {
    pub(crate) fn target(self) -> Target {
        let service = ObjectName::new(self.namespace, self.name);
        Target::Service { service, port: self.port.unwrap_or(443), path: self.path }
    }
}

impl ClientConfig {
    /// Where calls go and whom they trust; `field` is the one's name.
    pub(crate) fn read(self, field: &str) -> Result<(Target, CaBundle), String> {
        let target = match (self.service, self.url) {
            (Some(service), None) => service.target(),
            (None, Some(url)) => Target::Url(url),
            (None, None) => return Err(format!("{field}: it has neither a service nor a url")),
            (Some(_), Some(_)) => return Err(format!("{field}: it has both a service and a url")),
        };
        Ok((target, ca_bundle(self.ca_bundle.as_deref())))
    }
}

/// A `caBundle`, decoded. Line breaks in it are those of whoever wrote the file.
pub(crate) fn ca_bundle(text: Option<&str>) -> CaBundle {
    let text: String = text.unwrap_or_default().split_ascii_whitespace().collect();
    match STANDARD.decode(&text) {
        Ok(bytes) if bytes.is_empty() => CaBundle::Empty,
        Ok(bytes) => CaBundle::Bytes(bytes),
        Err(_) => CaBundle::NotBase64,
    }
}

/// A label selector.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LabelSelector {
    match_labels: Option<Map>,
    match_expressions: Option<Vec<Expression>>,
}

#[derive(Deserialize)]
struct Expression {
    #[serde(default)]
    key: String,
    operator: ExpressionOperator,
    values: Option<Vec<String>>,
}

#[derive(Deserialize)]
enum ExpressionOperator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl LabelSelector {
    pub(crate) fn read(selector: Option<Self>) -> Selector {
        let Some(selector) = selector else { return Selector::default() };
        let labels = labels(selector.match_labels).into_iter().map(|(key, value)| Requirement {
            key,
            operator: Operator::In,
            values: vec![value],
        });
        let expressions = selector.match_expressions.unwrap_or_default().into_iter().map(|it| Requirement {
            key: it.key,
            operator: match it.operator {
                ExpressionOperator::In => Operator::In,
                ExpressionOperator::NotIn => Operator::NotIn,
                ExpressionOperator::Exists => Operator::Exists,
                ExpressionOperator::DoesNotExist => Operator::DoesNotExist,
            },
            values: it.values.unwrap_or_default(),
        });
        Selector { requirements: labels.chain(expressions).collect() }
    }
}

/// `IntOrString`.
pub(crate) struct Port(pub(crate) PortRef);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        match Value::deserialize(deserializer)? {
            Value::String(name) => Ok(Self(match name.parse() {
                Ok(number) => PortRef::Number(number),
                Err(_) => PortRef::Name(name),
            })),
            Value::Number(number) => match number.as_u64().and_then(|number| u16::try_from(number).ok()) {
                Some(number) => Ok(Self(PortRef::Number(number))),
                None => Err(D::Error::custom(format!("{number} is no port"))),
            },
            other => Err(D::Error::custom(format!("expected a port's number or name, not {other}"))),
        }
    }
}
