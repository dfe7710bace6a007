"""Addresses that one audience answers and another one names."""

PROLIFIC_WEBHOOK = "/platforms/prolific/webhook"
API = "/api"
SET_UPLOADS = "/admin/set-uploads"
SCORE_FILES = "/score-files"
