"""A trained model that the user brought, as a body to build on."""
