# Debian's valkey where the image of Valkey's makers cannot be had; as theirs, the data is user 999's.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
 && apt-get install -qq --yes --no-install-recommends valkey-server valkey-tools \
 && install --directory --owner 999 --group 999 /data
VOLUME /data
