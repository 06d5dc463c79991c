# The fake in a container. The control API wants a token, since others than this machine may reach it:
#
#   docker build . --tag paylera-mock
#   docker run --rm --publish 127.0.0.1:4242:4242 --env PAYLERA_CONTROL_TOKEN=for-tests-only paylera-mock
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY fixtures fixtures
COPY mock_server mock_server
COPY conformance conformance
RUN pip install --no-cache-dir --prefix=/installed .

FROM python:${PYTHON}-slim
COPY --from=build /installed /usr/local
# A number, so that it can be seen not to be root. It owns no file of the image.
USER 65532:65532
WORKDIR /tmp
EXPOSE 4242
HEALTHCHECK --interval=2s --timeout=5s --start-period=30s CMD ["paylera-mock", "healthcheck"]
ENTRYPOINT ["paylera-mock"]
# `paylera` is its name in compose.yaml. The program itself reads the variable, which is in no list of processes.
CMD ["serve", "--host", "0.0.0.0", "--allow-remote", "--allow-host", "paylera", "--control-token", "${PAYLERA_CONTROL_TOKEN}"]
