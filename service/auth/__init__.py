"""Who may do what: access keys, roles and scopes. Knows no HTTP; `service.api.access` applies it there."""
