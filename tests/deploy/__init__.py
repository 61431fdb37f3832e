"""Tests of what is deployed: the image, the Cloud Run service, the Cloud Function and the commands that deploy them."""
