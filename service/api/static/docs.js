// Starts Swagger UI on our own schema. validatorUrl: null, because the default sends the schema to a public validator.
window.onload = () => {
  window.ui = SwaggerUIBundle({
    url: document.getElementById("swagger-ui").dataset.schema,
    dom_id: "#swagger-ui",
    deepLinking: true,
    displayOperationId: true,
    validatorUrl: null,
  });
};
