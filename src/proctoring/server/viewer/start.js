SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  // A validator of its makers' would be asked otherwise.
  validatorUrl: null,
});
