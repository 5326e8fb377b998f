//! The same routes, told to OpenAPI.

use utoipa::IntoParams;
use utoipa::PartialSchema;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{Content, Ref, RefOr, Required, ResponseBuilder};

use super::params::{ListParams, ShowParams};
use super::shape::{Shape, title};

/// The list of a kind.
pub(super) fn list(shape: &Shape) -> Paths {
    let kind = shape.kind;
    let path = format!("/v1/circles/{{c}}/{}", kind.path());
    let list = Described::new("list", format!("{}, oldest first", title(kind.path())), &["c"]);
    let list = list.asks::<ListParams>().answers("200", &shape.list());
    let new = Described::new("new", format!("A new {}", kind.noun()), &["c"]).takes(&shape.new).answers("201", &shape.item);
    let mut paths = Paths::new();
    paths.add_path_operation(&path, vec![HttpMethod::Get], list.0);
    paths.add_path_operation(&path, vec![HttpMethod::Post], new.0);
    paths
}

/// An item of a kind.
pub(super) fn item(shape: &Shape) -> Paths {
    let kind = shape.kind;
    let path = format!("/v1/circles/{{c}}/{}/{{id}}", kind.path());
    let operation = |id, summary: &str| Described::new(id, summary.to_owned(), &["c", "id"]);
    let show = operation("show", &format!("One {}", kind.noun())).asks::<ShowParams>().answers("200", &shape.item);
    let edit = operation("edit", "Change it").takes(&shape.edit).answers("200", &shape.item);
    let remove = operation("remove", "Delete it").asks::<ShowParams>().done();
    let mut paths = Paths::new();
    paths.add_path_operation(&path, vec![HttpMethod::Get], show.0);
    paths.add_path_operation(&path, vec![HttpMethod::Patch], edit.0);
    paths.add_path_operation(&path, vec![HttpMethod::Delete], remove.0);
    paths
}

struct Described(OperationBuilder);

impl Described {
    /// An operation on a path with these parts.
    fn new(id: &str, summary: String, parts: &[&str]) -> Self {
        let part = |name: &&str| -> Parameter {
            let named = ParameterBuilder::new().name(*name).parameter_in(ParameterIn::Path).required(Required::True);
            named.schema(Some(String::schema())).build()
        };
        let operation = OperationBuilder::new().operation_id(Some(id)).summary(Some(summary));
        Self(operation.parameters(Some(parts.iter().map(part))))
    }

    /// It has these in its query.
    fn asks<Q: IntoParams>(self) -> Self {
        Self(self.0.parameters(Some(Q::into_params(|| Some(ParameterIn::Query)))))
    }

    /// Its body is of that type.
    fn takes(self, name: &str) -> Self {
        let body = RequestBodyBuilder::new().content("application/json", json(name)).required(Some(Required::True));
        Self(self.0.request_body(Some(body.build())))
    }

    /// It answers with something of that type.
    fn answers(self, status: &str, name: &str) -> Self {
        Self(self.0.response(status, ResponseBuilder::new().content("application/json", json(name)).build()))
    }

    /// It answers that it is done.
    fn done(self) -> Self {
        Self(self.0.response("200", ResponseBuilder::new().build()))
    }
}

fn json(name: &str) -> Content {
    Content::new(Some(RefOr::<utoipa::openapi::Schema>::Ref(Ref::from_schema_name(name))))
}
