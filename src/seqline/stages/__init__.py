"""One verb each: validate, prepare, train, evaluate. What dvc.yaml runs."""
