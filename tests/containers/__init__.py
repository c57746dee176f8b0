"""Tests in containers: the image, docker compose and `sam local`, in their own engine."""
