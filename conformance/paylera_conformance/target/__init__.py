"""The target: settings, provisioners, the control API, its OpenAPI document."""
